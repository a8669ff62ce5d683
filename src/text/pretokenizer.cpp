// Pre-tokenizers over PCRE2; see pretokenizer.h.

#include "text/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <new>

#include "text/pretokenizer_patterns.h"
#include "text/unicode.h"

namespace edgelm::text {
namespace {

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* object) const { kFree(object); }
};
template <class T, void (*kFree)(T*)>
using Owned = std::unique_ptr<T, Free<T, kFree>>;
using Code = Owned<pcre2_code, pcre2_code_free>;
using MatchData = Owned<pcre2_match_data, pcre2_match_data_free>;
using MatchContext = Owned<pcre2_match_context, pcre2_match_context_free>;

// The patterns backtrack over a run of characters at most a few times, so these bounds are met only
// by texts of gigabytes; they turn a mistake in a pattern into an error instead of a hang.
constexpr std::uint32_t kMatchLimit = 1'000'000'000;
constexpr std::uint32_t kHeapLimitKiB = 512 * 1024;

// Unicode's White_Space, which is what vendors' engines mean by \s; PCRE2 adds U+180E to it.
constexpr std::string_view kSpace =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

// `pattern` with \s and \S written out.
std::string with_unicode_space(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's' && in_class) {
        out.append(kSpace);
      } else if (escaped == 's') {
        out.append("[").append(kSpace).append("]");
      } else if (escaped == 'S' && !in_class) {
        out.append("[^").append(kSpace).append("]");
      } else {
        out.push_back(c);
        out.push_back(escaped);
      }
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out.push_back(c);
  }
  return out;
}

}  // namespace

// One pattern, compiled.
class PreTokenizer::Step {
 public:
  Step(Code code, bool jit, bool threes) : code_(std::move(code)), jit_(jit), threes_(threes) {}

  Status split(std::string_view text, const std::vector<std::size_t>& in,
               std::vector<std::size_t>& out) const {
    const MatchData data(pcre2_match_data_create(1, nullptr));
    const MatchContext context(pcre2_match_context_create(nullptr));
    if (!data || !context) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimitKiB);
    std::size_t begin = 0;
    for (const std::size_t end : in) {
      EDGELM_TRY(split_piece(text, begin, end, data.get(), context.get(), out));
      begin = end;
    }
    return {};
  }

 private:
  Status split_piece(std::string_view text, std::size_t begin, std::size_t end,
                     pcre2_match_data* data, pcre2_match_context* context,
                     std::vector<std::size_t>& out) const {
    const std::string_view piece = text.substr(begin, end - begin);
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data);
    std::size_t at = 0;
    while (at < piece.size()) {
      const int found = match(piece, at, data, context);
      if (found == PCRE2_ERROR_NOMATCH) break;
      if (found < 0) {
        return fail(ErrorCode::kLimit, "text cannot be cut into words at byte {} (PCRE2 error {})",
                    begin + at, found);
      }
      // An empty match would not move on; no pattern of the table makes one.
      if (bounds[1] <= bounds[0] || bounds[0] < at) break;
      if (bounds[0] > at) out.push_back(begin + bounds[0]);
      if (threes_) split_digits(piece, bounds[0], bounds[1], begin, out);
      out.push_back(begin + bounds[1]);
      at = bounds[1];
    }
    if (at < piece.size()) out.push_back(end);
    return {};
  }

  int match(std::string_view piece, std::size_t at, pcre2_match_data* data,
            pcre2_match_context* context) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(piece.data());
    if (jit_) {
      const int found = pcre2_jit_match(code_.get(), subject, piece.size(), at, 0, data, context);
      if (found != PCRE2_ERROR_JIT_STACKLIMIT && found != PCRE2_ERROR_MATCHLIMIT) return found;
    }
    return pcre2_match(code_.get(), subject, piece.size(), at, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                       data, context);
  }

  // Digits in groups of three counted from the right, as numbers are read: 1 234 567.
  static void split_digits(std::string_view piece, std::size_t first, std::size_t last,
                           std::size_t base, std::vector<std::size_t>& out) {
    std::size_t digits = 0;
    for (std::size_t at = first; at < last; at += utf8_length(piece.substr(at))) ++digits;
    for (std::size_t at = first; at < last; at += utf8_length(piece.substr(at)), --digits) {
      if (at > first && digits % 3 == 0) out.push_back(base + at);
    }
  }

  Code code_;
  bool jit_;
  bool threes_;
};

PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

Result<PreTokenizer> PreTokenizer::create(std::string_view name) {
  const PreTokenizerEntry* entry = find_pre_tokenizer(name);
  if (entry == nullptr) {
    return fail(ErrorCode::kUnsupported, "'{:.64}' is not a known pre-tokenizer; known are {}",
                name, pre_tokenizer_names());
  }
  PreTokenizer result;
  result.whole_words_first_ = entry->whole_words_first;
  result.adds_bos_ = entry->adds_bos;
  for (const PatternStep& step : entry->steps) {
    const std::string pattern = with_unicode_space(step.pattern);
    int error = 0;
    PCRE2_SIZE where = 0;
    Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                            PCRE2_UTF | PCRE2_UCP, &error, &where, nullptr));
    if (!code) {
      return fail(ErrorCode::kInternal, "'{}': PCRE2 error {} at byte {} of pattern {}", name,
                  error, where, pattern);
    }
    // Where the system allows no executable memory, the interpreter does the same, slower.
    const bool jit = pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE) == 0;
    result.steps_.emplace_back(std::move(code), jit, step.digits_in_threes);
  }
  return result;
}

Status PreTokenizer::split(std::string_view text, std::vector<std::size_t>& ends) const {
  std::vector<std::size_t> in{text.size()};
  std::vector<std::size_t> out;
  for (const Step& step : steps_) {
    out.clear();
    EDGELM_TRY(step.split(text, in, out));
    in.swap(out);
  }
  ends.insert(ends.end(), in.begin(), in.end());
  return {};
}

}  // namespace edgelm::text

// Reading problems, and reading numbers out of answers.

#include <fmt/format.h>

#include "api/json.h"
#include "quality/gsm8k.h"

namespace edgelm::quality {
namespace {

constexpr std::string_view kMark = "#### ";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Without what lm-evaluation-harness ignores: commas, dollar signs, a full stop at the end.
std::string normalized(std::string_view number) {
  std::string text;
  for (const char c : number)
    if (c != ',' && c != '$') text += c;
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// Length of what "[0-9.,]+" (or with '$') matches at the start.
std::size_t run_of(std::string_view text, std::string_view others) {
  std::size_t n = 0;
  while (n < text.size() && (is_digit(text[n]) || others.find(text[n]) != std::string_view::npos))
    ++n;
  return n;
}

}  // namespace

// "#### (\-?[0-9\.\,]+)", the first match.
std::optional<std::string> strict_answer(std::string_view text) {
  for (std::size_t at = text.find(kMark); at != std::string_view::npos;
       at = text.find(kMark, at + 1)) {
    const std::string_view rest = text.substr(at + kMark.size());
    const std::size_t sign = rest.starts_with('-') ? 1 : 0;
    const std::size_t n = run_of(rest.substr(sign), ".,");
    if (n > 0) return normalized(rest.substr(0, sign + n));
  }
  return std::nullopt;
}

// "(-?[$0-9.,]{2,})|(-?[0-9]+)", the last match, found from the left as a regular expression would.
std::optional<std::string> flexible_answer(std::string_view text) {
  std::optional<std::string_view> last;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t sign = text[at] == '-' ? 1 : 0;
    const std::string_view rest = text.substr(at + sign);
    std::size_t n = run_of(rest, "$.,");
    if (n < 2) n = run_of(rest, "");
    if (n == 0) {
      ++at;
      continue;
    }
    last = text.substr(at, sign + n);
    at += sign + n;
  }
  if (!last) return std::nullopt;
  return normalized(*last);
}

Result<std::vector<Problem>> read_gsm8k(const TextFile& file) {
  std::vector<Problem> problems;
  const std::vector<Line> lines = file.lines();
  problems.reserve(lines.size());
  for (const Line& line : lines) {
    if (line.text.find_first_not_of(" \t") == std::string_view::npos) continue;
    const std::string place = fmt::format("{}:{}", file.path, line.number);
    EDGELM_TRY_ASSIGN(const api::Json json, api::parse(line.text, place));
    Problem problem;
    EDGELM_TRY_ASSIGN(problem.question, api::string_at(json, "question", place));
    EDGELM_TRY_ASSIGN(problem.answer, api::string_at(json, "answer", place));
    if (problem.question.empty())
      return fail(ErrorCode::kFormat, "{}: the question is empty", place);
    const auto gold = strict_answer(problem.answer);
    if (!gold)
      return fail(ErrorCode::kFormat, "{}: expected an answer that ends in '#### NUMBER', got {}",
                  place,
                  shown(std::string_view(problem.answer)
                            .substr(problem.answer.size() > 30 ? problem.answer.size() - 30 : 0)));
    problem.gold = *gold;
    problem.id = fmt::format("{}-{}", problems.size(), short_hash(problem.question));
    problems.push_back(std::move(problem));
  }
  return problems;
}

}  // namespace edgelm::quality

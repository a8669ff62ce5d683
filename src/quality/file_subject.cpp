// Log-likelihoods by a model file. Texts of one call usually share a context: it runs once in the
// blocks of the prefix, and the rest of every text runs beside the others in one batch, as branches
// that share the prefix's full blocks. A branch begins at the last block boundary, so it repeats up
// to 31 tokens; that costs less than one step per text.

#include "quality/file_subject.h"

#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "quality/log_softmax.h"

namespace edgelm::quality {
namespace {

constexpr std::uint32_t kBlock = 32;  // positions per KV block
constexpr std::uint32_t kBranches = 16;
constexpr std::uint64_t kLogitBytes = 64U << 20;
constexpr std::uint32_t kMaxDefaultContext = 4096;

std::size_t common_prefix(std::span<const text::TokenId> a, std::span<const text::TokenId> b) {
  const auto end = std::mismatch(
      a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end.first - a.begin());
}

}  // namespace

Result<std::unique_ptr<FileSubject>> FileSubject::create(std::shared_ptr<const model::Model> model,
                                                         backend::Backend& backend,
                                                         const FileSubjectOptions& options) {
  if (model->tokenizer() == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: no vocabulary, so it cannot be asked anything",
                model->file().path());
  FileSubjectOptions full = options;
  if (full.context == 0)
    full.context = std::min(model->hparams().context_length, kMaxDefaultContext);
  if (full.context < 2 || full.batch == 0 || full.sequences == 0)
    return fail(ErrorCode::kUsage,
                "context {}, batch {}, sequences {}: expected 2, 1 and 1 or more", full.context,
                full.batch, full.sequences);
  auto subject = std::unique_ptr<FileSubject>(new FileSubject(std::move(model), backend, full));
  const std::string_view source = subject->model_->chat_template();
  if (!source.empty()) {
    // A template that cannot be read is an error of chats alone; see prompt_ids.
    auto parsed = text::ChatTemplate::parse(source);
    if (parsed) subject->template_ = std::move(*parsed);
  }
  return subject;
}

FileSubject::FileSubject(std::shared_ptr<const model::Model> model, backend::Backend& backend,
                         const FileSubjectOptions& options)
    : model_(std::move(model)), backend_(backend), options_(options) {
  const formats::GgufFile& file = model_->file();
  identity_ = {.model = file.path().substr(file.path().rfind('/') + 1),
               .model_hash = options.model_hash,
               .type = model_->main_type(),
               .engine = options.engine,
               .file_bytes = file.file_bytes()};
}

Status FileSubject::compile() {
  if (executor_) return {};
  const std::uint64_t row_bytes = std::uint64_t{model_->hparams().n_vocab} * sizeof(float);
  const std::uint32_t batch = std::min(options_.batch, ceil_div(options_.context, kBlock) * kBlock);
  logit_rows_ = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(kLogitBytes / std::max<std::uint64_t>(row_bytes, 1), 8, batch + 8));
  const std::uint32_t n_prefix = ceil_div(options_.context, kBlock);
  const std::uint32_t n_branch = ceil_div(batch, kBlock) + kBranches;
  const plan::Limits limits{.context_tokens = (n_prefix + n_branch) * kBlock,
                            .batch_tokens = batch,
                            .logit_rows = logit_rows_,
                            .kv_block_tokens = kBlock,
                            .kv_type = options_.kv_type};
  EDGELM_TRY_ASSIGN(executor_, backend_.compile(model_->plan(), limits));
  prefix_blocks_.resize(n_prefix);
  branch_blocks_.resize(n_branch);
  for (std::uint32_t i = 0; i < n_prefix; ++i) prefix_blocks_[i] = i;
  for (std::uint32_t i = 0; i < n_branch; ++i) branch_blocks_[i] = n_prefix + i;
  return {};
}

// As lm-evaluation-harness does (api/model.py, _encode_pair): the continuation's tokens are those
// of the whole text beyond as many as the context has alone, and white space at the end of the
// context belongs to the continuation. Beyond the context length the text loses its beginning; here
// BOS stays.
Result<FileSubject::Text> FileSubject::tokenize(const Pair& pair) const {
  const text::Tokenizer& tokenizer = *model_->tokenizer();
  const text::SpecialTokens& special = tokenizer.special();
  const std::size_t last = pair.context.find_last_not_of(" \t\r\n");
  const std::size_t end = last == std::string::npos ? 0 : last + 1;
  const std::string_view context = std::string_view(pair.context).substr(0, end);
  const auto encode = [&](std::string_view text) -> Result<Ids> {
    EDGELM_TRY_ASSIGN(Ids ids, tokenizer.encode(text, {}));
    if (special.add_eos && !ids.empty() && ids.back() == special.eos) ids.pop_back();
    return ids;
  };
  Text text;
  EDGELM_TRY_ASSIGN(text.ids, encode(context));
  EDGELM_TRY_ASSIGN(const Ids whole, encode(pair.context + pair.continuation));
  if (whole.size() <= text.ids.size())
    return fail(ErrorCode::kUnsupported,
                "the continuation has no token of its own (context of {} "
                "tokens, with it {})",
                text.ids.size(), whole.size());
  text.first = text.ids.size();
  text.ids.insert(text.ids.end(), whole.begin() + static_cast<std::ptrdiff_t>(text.first),
                  whole.end());
  if (text.first == 0) {  // nothing precedes: the token that opens or ends texts does
    const text::TokenId opening = special.bos != text::kNoToken ? special.bos : special.eos;
    if (opening == text::kNoToken)
      return fail(ErrorCode::kUnsupported,
                  "an empty context needs a BOS or EOS token, and {} has neither",
                  model_->file().path());
    text.ids.insert(text.ids.begin(), opening);
    text.first = 1;
  }
  const std::size_t room = std::size_t{options_.context} + 1;  // the last token need not run
  if (text.ids.size() > room) {
    const bool bos = special.add_bos && text.ids[0] == special.bos;
    const std::size_t drop = text.ids.size() - room;
    if (text.first < drop + (bos ? 2 : 1))
      return fail(ErrorCode::kLimit,
                  "a continuation of {} tokens does not fit the context of {}; raise -c",
                  text.ids.size() - text.first, options_.context);
    const auto from = text.ids.begin() + (bos ? 1 : 0);
    text.ids.erase(from, from + static_cast<std::ptrdiff_t>(drop));
    text.first -= drop;
    text.truncated = true;
  }
  text.logprob.reserve(text.ids.size() - text.first);
  return text;
}

// `logits` of `position` score the token after it.
Status FileSubject::keep_score(Text& text, std::size_t position,
                               std::span<const float> logits) const {
  const TokenScore score = token_score(logits, text.ids[position + 1]);
  if (!std::isfinite(score.logprob))
    return fail(ErrorCode::kFormat,
                "{}: the model computes no numbers (a log-likelihood is not finite): weights are "
                "damaged or leave the range of float32",
                model_->file().path());
  text.logprob.push_back(score.logprob);
  text.all_greedy = text.all_greedy && score.greedy;
  return {};
}

Result<std::vector<Likelihood>> FileSubject::score(std::span<const Pair> pairs) {
  if (pairs.empty()) return std::vector<Likelihood>{};
  EDGELM_TRY(compile());
  std::vector<Text> texts;
  texts.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    EDGELM_TRY_ASSIGN(Text text, tokenize(pair));
    tokens_asked_ += text.ids.size() - 1;
    texts.push_back(std::move(text));
  }
  std::size_t common = texts[0].ids.size();
  std::size_t shortest = texts[0].ids.size();
  for (const Text& text : texts) {
    common = std::min(common, common_prefix(texts[0].ids, text.ids));
    shortest = std::min(shortest, text.ids.size());
  }
  common = std::min(common, shortest - 1);  // every text has a token beyond it
  if (common > 0) EDGELM_TRY(run_prefix(std::span(texts[0].ids).first(common), texts));
  EDGELM_TRY(run_branches(common, texts));

  std::vector<Likelihood> results;
  results.reserve(texts.size());
  for (const Text& text : texts) {
    Likelihood result;
    result.n_tokens = static_cast<std::uint32_t>(text.logprob.size());
    result.all_greedy = text.all_greedy;
    result.truncated = text.truncated;
    const std::size_t skipped = common > text.first ? common - text.first : 0;
    double distinct = 0;
    for (std::size_t i = 0; i < text.logprob.size(); ++i) {
      result.sum_logprob += text.logprob[i];
      if (i >= skipped) distinct += text.logprob[i];
    }
    result.distinct_logprob = distinct;
    result.n_distinct = static_cast<std::uint32_t>(text.logprob.size() - skipped);
    results.push_back(result);
  }
  return results;
}

// The common part, in as few tokens as the cache allows: those whose logits are wanted run again.
Status FileSubject::run_prefix(std::span<const text::TokenId> ids, std::vector<Text>& texts) {
  std::size_t first_wanted = ids.size() - 1;
  for (const Text& text : texts) first_wanted = std::min(first_wanted, text.first - 1);
  std::size_t at = std::min(common_prefix(cached_, ids), first_wanted);
  cached_.resize(at);
  std::vector<std::uint32_t> positions, sequence_of, wanted;
  const backend::SequenceView sequence{prefix_blocks_};
  while (at < ids.size()) {
    std::size_t n = std::min<std::size_t>(executor_->limits().batch_tokens, ids.size() - at);
    // Not more rows of logits than there are.
    if (at + n > first_wanted)
      n = std::min(n, std::max(at, first_wanted) - at + std::size_t{logit_rows_});
    positions.clear();
    wanted.clear();
    for (std::uint32_t i = 0; i < n; ++i) {
      positions.push_back(static_cast<std::uint32_t>(at) + i);
      if (at + i >= first_wanted) wanted.push_back(i);
    }
    sequence_of.assign(n, 0);
    EDGELM_TRY(executor_->run({.ids = ids.subspan(at, n),
                               .positions = positions,
                               .sequence_of = sequence_of,
                               .sequences = {&sequence, 1},
                               .logit_tokens = wanted}));
    tokens_run_ += n;
    for (std::uint32_t row = 0; row < wanted.size(); ++row) {
      const std::size_t position = at + wanted[row];
      for (Text& text : texts)
        if (position + 1 >= text.first)
          EDGELM_TRY(keep_score(text, position, executor_->logits(row)));
    }
    cached_.insert(cached_.end(), ids.begin() + static_cast<std::ptrdiff_t>(at),
                   ids.begin() + static_cast<std::ptrdiff_t>(at + n));
    at += n;
  }
  return {};
}

// What follows the common part, side by side while there is room.
Status FileSubject::run_branches(std::size_t n_prefix, std::vector<Text>& texts) {
  const std::size_t begin = n_prefix / kBlock * kBlock;
  std::vector<Text*> wave;
  std::size_t tokens = 0, rows = 0, blocks = 0;
  const auto flush = [&]() -> Status {
    if (!wave.empty()) EDGELM_TRY(run_branch_wave(n_prefix, wave));
    wave.clear();
    tokens = rows = blocks = 0;
    return {};
  };
  for (Text& text : texts) {
    const std::size_t end = text.ids.size() - 1;
    if (end <= n_prefix) continue;  // the prefix's logits scored its last token
    const std::size_t n = end - begin;
    const std::size_t n_rows = end - std::max(n_prefix, text.first - 1);
    const std::size_t n_blocks = ceil_div(n, std::size_t{kBlock});
    if (n > executor_->limits().batch_tokens || n_rows > logit_rows_ ||
        n_blocks > branch_blocks_.size()) {
      EDGELM_TRY(run_alone(n_prefix, text));
      continue;
    }
    if (tokens + n > executor_->limits().batch_tokens || rows + n_rows > logit_rows_ ||
        blocks + n_blocks > branch_blocks_.size() || wave.size() == logit_rows_)
      EDGELM_TRY(flush());
    wave.push_back(&text);
    tokens += n;
    rows += n_rows;
    blocks += n_blocks;
  }
  return flush();
}

Status FileSubject::run_branch_wave(std::size_t n_prefix, std::span<Text*> wave) {
  const std::size_t begin = n_prefix / kBlock * kBlock;
  Ids ids;
  std::vector<std::uint32_t> positions, sequence_of, wanted;
  std::vector<std::pair<Text*, std::size_t>> rows;  // whose logits they are
  std::vector<std::vector<std::uint32_t>> blocks;
  std::vector<backend::SequenceView> sequences;
  blocks.reserve(wave.size());
  sequences.reserve(wave.size());
  std::size_t next_block = 0;
  for (Text* text : wave) {
    const std::size_t end = text->ids.size() - 1;
    auto& own =
        blocks.emplace_back(prefix_blocks_.begin(),
                            prefix_blocks_.begin() + static_cast<std::ptrdiff_t>(begin / kBlock));
    for (std::size_t at = begin; at < end; at += kBlock)
      own.push_back(branch_blocks_[next_block++]);
    for (std::size_t at = begin; at < end; ++at) {
      if (at >= n_prefix && at + 1 >= text->first) {
        wanted.push_back(static_cast<std::uint32_t>(ids.size()));
        rows.emplace_back(text, at);
      }
      ids.push_back(text->ids[at]);
      positions.push_back(static_cast<std::uint32_t>(at));
      sequence_of.push_back(static_cast<std::uint32_t>(sequences.size()));
    }
    sequences.push_back({own});
  }
  EDGELM_TRY(executor_->run({.ids = ids,
                             .positions = positions,
                             .sequence_of = sequence_of,
                             .sequences = sequences,
                             .logit_tokens = wanted}));
  tokens_run_ += ids.size();
  for (std::uint32_t row = 0; row < rows.size(); ++row)
    EDGELM_TRY(keep_score(*rows[row].first, rows[row].second, executor_->logits(row)));
  return {};
}

// A branch too long to stand beside others goes on in the prefix's own blocks.
Status FileSubject::run_alone(std::size_t n_prefix, Text& text) {
  cached_.resize(std::min(cached_.size(), n_prefix));
  const std::size_t end = text.ids.size() - 1;
  std::vector<std::uint32_t> positions, sequence_of, wanted;
  const backend::SequenceView sequence{prefix_blocks_};
  for (std::size_t at = n_prefix; at < end;) {
    const std::size_t n =
        std::min<std::size_t>({executor_->limits().batch_tokens, logit_rows_, end - at});
    positions.clear();
    wanted.clear();
    for (std::uint32_t i = 0; i < n; ++i) {
      positions.push_back(static_cast<std::uint32_t>(at) + i);
      if (at + i + 1 >= text.first) wanted.push_back(i);
    }
    sequence_of.assign(n, 0);
    EDGELM_TRY(executor_->run({.ids = std::span(text.ids).subspan(at, n),
                               .positions = positions,
                               .sequence_of = sequence_of,
                               .sequences = {&sequence, 1},
                               .logit_tokens = wanted}));
    tokens_run_ += n;
    for (std::uint32_t row = 0; row < wanted.size(); ++row)
      EDGELM_TRY(keep_score(text, at + wanted[row], executor_->logits(row)));
    at += n;
  }
  return {};
}

}  // namespace edgelm::quality

// Answers by a model file: prompts to ids, several sequences in one engine, text until it ends.

#include <algorithm>

#include "engine/text_generation.h"
#include "quality/file_subject.h"

namespace edgelm::quality {
namespace {

// One answer in the making.
struct Stream {
  Stream(std::size_t index, engine::SequenceId id, const text::Tokenizer& tokenizer,
         const std::vector<std::string>& stops)
      : prompt(index), sequence(id), text(tokenizer, stops) {}

  std::size_t prompt;
  engine::SequenceId sequence;
  engine::TextGeneration text;
  std::string so_far;
  std::uint32_t n_tokens = 0;
};

}  // namespace

Status FileSubject::start_engine() {
  if (engine_) return {};
  EDGELM_TRY_ASSIGN(engine_, engine::Engine::create(model_, backend_,
                                                    {.context_tokens = options_.context,
                                                     .max_sequences = options_.sequences,
                                                     .batch_tokens = options_.batch,
                                                     .kv_type = options_.kv_type}));
  return {};
}

Result<FileSubject::Ids> FileSubject::prompt_ids(const Prompt& prompt) const {
  const text::Tokenizer& tokenizer = *model_->tokenizer();
  if (prompt.chat.empty()) return tokenizer.encode(prompt.text, {});
  if (model_->chat_template().empty())
    return fail(ErrorCode::kUnsupported, "{} has no chat template; ask with plain prompts",
                model_->file().path());
  if (!template_) {
    const auto again = text::ChatTemplate::parse(model_->chat_template());
    return fail(ErrorCode::kUnsupported, "{}: chat template: {}", model_->file().path(),
                again ? "not read" : again.error().message);
  }
  const text::SpecialTokens& special = tokenizer.special();
  text::ChatInput input;
  input.messages.reserve(prompt.chat.size());
  for (const Turn& turn : prompt.chat)
    input.messages.push_back({.role = turn.role, .content = turn.content, .extra_json = {}});
  if (special.bos != text::kNoToken) input.bos_token = tokenizer.raw_piece(special.bos);
  if (special.eos != text::kNoToken) input.eos_token = tokenizer.raw_piece(special.eos);
  EDGELM_TRY_ASSIGN(const std::string text, template_->render(input));
  EDGELM_TRY_ASSIGN(Ids ids, tokenizer.encode(text, {.add_special = true, .parse_special = true}));
  // Many templates write BOS themselves, on top of the one the vocabulary asks for.
  if (special.add_bos && ids.size() > 1 && ids[0] == special.bos && ids[1] == special.bos)
    ids.erase(ids.begin());
  return ids;
}

Result<std::vector<Result<Generated>>> FileSubject::generate(std::span<const Prompt> prompts,
                                                             const Generation& options,
                                                             const Cancelled& cancelled) {
  if (options.max_tokens == 0) return fail(ErrorCode::kUsage, "answers of 0 tokens asked for");
  EDGELM_TRY(start_engine());
  std::vector<Result<Generated>> results(prompts.size(), Generated{});
  std::vector<std::unique_ptr<Stream>> streams;  // a TextGeneration does not move
  streams.reserve(options_.sequences);
  std::size_t next = 0;
  const auto finish = [&](std::size_t index, bool ended) {
    Stream& stream = *streams[index];
    if (!stream.text.stopped()) stream.so_far += stream.text.finish();
    results[stream.prompt] =
        Generated{.text = std::move(stream.so_far), .ended = ended, .n_tokens = stream.n_tokens};
    streams.erase(streams.begin() + static_cast<std::ptrdiff_t>(index));
  };
  while (next < prompts.size() || !streams.empty()) {
    if (cancelled && cancelled()) {
      for (const auto& stream : streams) engine_->cancel(stream->sequence);
      return fail(ErrorCode::kIo, "interrupted");
    }
    while (next < prompts.size() && streams.size() < options_.sequences) {
      const std::size_t prompt = next++;
      auto ids = prompt_ids(prompts[prompt]);
      if (!ids) {
        results[prompt] = fail(ids.error());
        continue;
      }
      engine::Request request;
      request.prompt = std::move(*ids);
      request.max_tokens = options.max_tokens;
      request.sampling.temperature = options.temperature;
      request.sampling.top_k = 0;
      request.sampling.top_p = options.top_p;
      request.sampling.min_p = 0;
      request.sampling.seed = prompts[prompt].seed;
      const auto sequence = engine_->add(std::move(request));
      if (!sequence) {
        results[prompt] = fail(sequence.error());
        continue;
      }
      streams.push_back(
          std::make_unique<Stream>(prompt, *sequence, *model_->tokenizer(), options.stop));
    }
    EDGELM_TRY(engine_->step());
    engine::TokenEvent event;
    while (engine_->poll(event)) {
      const auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& stream) {
        return stream->sequence == event.sequence;
      });
      if (found == streams.end()) continue;
      const auto index = static_cast<std::size_t>(found - streams.begin());
      Stream& stream = **found;
      ++stream.n_tokens;
      if (event.finish != engine::Finish::kEnd) stream.so_far += stream.text.push(event.id);
      if (stream.text.stopped()) {
        engine_->cancel(stream.sequence);
        finish(index, true);
      } else if (event.finish != engine::Finish::kNone) {
        finish(index, event.finish == engine::Finish::kEnd);
      }
    }
  }
  return results;
}

}  // namespace edgelm::quality

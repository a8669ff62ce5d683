// A chat on the terminal: each turn renders the whole conversation through the model's template and
// shares the KV blocks of what is already cached, so only the new turn is computed.

#include <fmt/format.h>

#include <iostream>

#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/prompt.h"
#include "apps/edgelm/run.h"
#include "engine/text_generation.h"
#include "os/clock.h"

namespace edgelm::apps {
namespace {

constexpr const char* kHelp =
    "Type a message and Enter. /clear forgets the conversation, /help prints this, /exit or Ctrl-D "
    "leaves, Ctrl-C stops an answer.\n";

struct Conversation {
  std::vector<ChatTurn> turns;
  std::optional<engine::SequenceId> cached;  // a kept sequence holding the previous turns
};

// The ids the model sees. Models without a template continue the plain text of the conversation.
Result<std::vector<text::TokenId>> conversation_ids(const RunOptions& options,
                                                    const model::Model& model,
                                                    const Conversation& conversation) {
  if (!options.raw && !model.chat_template().empty()) return chat_ids(model, conversation.turns);
  std::string text;
  for (const ChatTurn& turn : conversation.turns) text += turn.content;
  return model.tokenizer()->encode(text, {.add_special = true, .parse_special = false});
}

Result<std::string> answer(const RunOptions& options, Runtime& runtime,
                           Conversation& conversation) {
  engine::Engine& engine = *runtime.engine;
  engine::Request request;
  EDGELM_TRY_ASSIGN(request.prompt, conversation_ids(options, *runtime.model, conversation));
  const std::size_t n_prompt = request.prompt.size();
  request.max_tokens = options.max_tokens;
  request.sampling = options.sampling;
  request.ignore_end = options.ignore_end;
  request.keep = true;
  request.prefix = conversation.cached;
  const std::int64_t start = os::now_ns();
  EDGELM_TRY_ASSIGN(const engine::SequenceId sequence, engine.add(std::move(request)));
  // The new sequence holds the shared blocks itself now.
  if (conversation.cached) engine.release(*conversation.cached);
  conversation.cached = sequence;
  engine::TextGeneration text(*runtime.model->tokenizer(), options.stops);
  std::string whole;
  const auto show = [&whole](std::string_view piece) {
    whole += piece;
    return write_result(piece);
  };
  std::uint32_t n_generated = 0;
  std::int64_t first = start;
  const InterruptGuard guard(/*also_terminate=*/false);
  while (!engine.idle() && !interrupted.exchange(false)) {
    EDGELM_TRY(engine.step());
    engine::TokenEvent event;
    while (engine.poll(event)) {
      if (n_generated++ == 0) first = os::now_ns();
      if (event.finish != engine::Finish::kEnd) EDGELM_TRY(show(text.push(event.id)));
      if (text.stopped()) engine.cancel(sequence);
    }
  }
  engine.cancel(sequence);
  if (!text.stopped()) EDGELM_TRY(show(text.finish()));
  const double seconds = os::ns_to_s(os::now_ns() - first);
  EDGELM_TRY(write_result("\n"));
  note("[{} prompt tokens, {} of them cached · first token {:.0f} ms · {:.1f} tokens/s]\n",
       n_prompt, engine.shared_tokens(sequence), os::ns_to_ms(first - start),
       n_generated > 1 ? (n_generated - 1) / seconds : 0.0);
  return whole;
}

// Also when its sequence was in the middle of an answer that failed.
void drop_cache(Runtime& runtime, Conversation& conversation) {
  if (!conversation.cached) return;
  runtime.engine->cancel(*conversation.cached);
  runtime.engine->release(*conversation.cached);
  conversation.cached.reset();
}

void reset(const RunOptions& options, Runtime& runtime, Conversation& conversation) {
  drop_cache(runtime, conversation);
  conversation = {};
  if (!options.system.empty()) conversation.turns.push_back({"system", options.system});
}

}  // namespace

Status chat(const RunOptions& options) {
  // Two sequences: the kept conversation and the next turn, which shares its blocks.
  EDGELM_TRY_ASSIGN(Runtime runtime, start_runtime(options, 2));
  if (runtime.model->tokenizer() == nullptr)
    return fail(ErrorCode::kUnsupported, "{} has no vocabulary, so it cannot chat",
                runtime.model->file().path());
  note("{} on {}, context {} tokens, seed {}.\n{}", runtime.model->file().path(),
       runtime.backend->name(), runtime.engine->options().context_tokens, options.sampling.seed,
       kHelp);
  Conversation conversation;
  reset(options, runtime, conversation);
  std::string line;
  for (;;) {
    EDGELM_TRY(write_result("> "));
    if (!std::getline(std::cin, line) || line == "/exit") break;
    if (line.empty()) continue;
    if (line == "/help") {
      note("{}", kHelp);
      continue;
    }
    if (line == "/clear") {
      reset(options, runtime, conversation);
      continue;
    }
    if (const Status valid = check_utf8(line, "the message"); !valid) {
      note("edgelm: {}\n", valid.error().message);
      continue;
    }
    conversation.turns.push_back({"user", line});
    auto text = answer(options, runtime, conversation);
    if (text) {
      conversation.turns.push_back({"assistant", std::move(*text)});
    } else {  // a full context, say: the conversation stays as it was
      conversation.turns.pop_back();
      drop_cache(runtime, conversation);
      note("edgelm: {}; /clear starts over\n", text.error().message);
    }
  }
  return write_result("\n");
}

}  // namespace edgelm::apps

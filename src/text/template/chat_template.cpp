// The outside of the interpreter: input to values, exceptions to Results.

#include "text/template/chat_template.h"

#include <ctime>
#include <new>

#include "text/template/json.h"
#include "text/template/parser.h"
#include "text/template/render.h"
#include "text/utf8.h"

namespace edgelm::text {
namespace {

using Variables = std::vector<std::pair<std::string, Value>>;

Value json_input(std::string_view what, const std::string& json) {
  try {
    return from_json(json);
  } catch (const TemplateError& error) {
    throw TemplateError{ErrorCode::kUsage, fmt::format("{}: {}", what, error.message), 0};
  }
}

Value message_value(const Message& message) {
  Dict dict;
  dict.set(Value("role"), Value(repaired_utf8(message.role)));
  dict.set(Value("content"), Value(repaired_utf8(message.content)));
  if (!message.extra_json.empty()) {
    const Value extra = json_input("message", message.extra_json);
    if (!extra.is_dict()) {
      throw TemplateError{ErrorCode::kUsage, "message: extra fields must be a JSON object", 0};
    }
    for (const auto& [key, value] : extra.dict().items()) dict.set(key, value);
  }
  return Value(std::move(dict));
}

Variables input_variables(const ChatInput& input) {
  Variables variables;
  List messages;
  for (const Message& message : input.messages) messages.items.push_back(message_value(message));
  const auto json_or_none = [](std::string_view what, const std::string& json) {
    return json.empty() ? Value::none() : json_input(what, json);
  };
  variables.emplace_back("messages", Value(std::move(messages)));
  variables.emplace_back("tools", json_or_none("tools", input.tools_json));
  variables.emplace_back("documents", json_or_none("documents", input.documents_json));
  variables.emplace_back("add_generation_prompt", Value(input.add_generation_prompt));
  variables.emplace_back("bos_token", Value(repaired_utf8(input.bos_token)));
  variables.emplace_back("eos_token", Value(repaired_utf8(input.eos_token)));
  for (const auto& [name, json] : input.variables)
    variables.emplace_back(name, json_input(name, json));
  return variables;
}

std::tm calendar(std::int64_t now_local_seconds) {
  std::tm fields{};
  if (now_local_seconds != 0) {
    const auto seconds = static_cast<std::time_t>(now_local_seconds);
    if (gmtime_r(&seconds, &fields) == nullptr) fields = {};
  } else {
    const std::time_t seconds = std::time(nullptr);
    if (localtime_r(&seconds, &fields) == nullptr) fields = {};
  }
  return fields;
}

tl::unexpected<Error> failed(const TemplateError& error, std::uint32_t line) {
  if (error.code == ErrorCode::kUsage) return fail(error.code, "chat template: {}", error.message);
  return fail(error.code, "chat template: line {}: {}", line, error.message);
}

}  // namespace

struct ChatTemplate::Tree {
  Block block;
};

ChatTemplate::ChatTemplate(std::unique_ptr<const Tree> tree) : tree_(std::move(tree)) {}
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

Result<ChatTemplate> ChatTemplate::parse(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    return fail(ErrorCode::kLimit, "chat template: {} bytes, expected at most {}", source.size(),
                kMaxTemplateBytes);
  }
  try {
    Parser parser(lex_template(repaired_utf8(source)));
    return ChatTemplate(std::make_unique<const Tree>(Tree{parser.parse()}));
  } catch (const TemplateError& error) {
    return failed(error, error.line);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kMemory, "chat template: not enough memory to parse it");
  }
}

Result<std::string> ChatTemplate::render(const ChatInput& input) const {
  std::unique_ptr<Renderer> renderer;
  try {
    renderer = std::make_unique<Renderer>(input_variables(input), calendar(input.now_local_seconds),
                                          input.max_steps);
    return renderer->run(tree_->block);
  } catch (const TemplateError& error) {
    const std::uint32_t line = error.line != 0 || !renderer ? error.line : renderer->line();
    return failed(error, line);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kMemory, "chat template: not enough memory to render it");
  }
}

}  // namespace edgelm::text

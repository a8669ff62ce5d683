#pragma once
// Chat templates: the program in a GGUF file's tokenizer.chat_template that turns messages into the
// text a model was trained on. The language is Jinja2's as Hugging Face configures it (trim_blocks,
// lstrip_blocks, loop controls, an immutable sandbox, tojson without HTML escapes, raise_exception,
// strftime_now, {% generation %}). Not supported: include, import, extends, recursive loops,
// integers beyond 64 bits, case mapping outside Latin-1, Greek and Cyrillic.
//
// Templates are hostile input: source, steps, recursion, values and output are bounded.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace edgelm::text {

struct Message {
  std::string role;
  std::string content;
  // Further fields as a JSON object, e.g. tool_calls, name, reasoning_content; one called "content"
  // replaces the text (null, or a list of parts). Empty: none.
  std::string extra_json;
};

struct ChatInput {
  std::vector<Message> messages;
  bool add_generation_prompt = true;
  std::string bos_token;
  std::string eos_token;
  std::string tools_json;      // a JSON list of tool definitions; empty: `tools` is none
  std::string documents_json;  // likewise
  // Further variables and their values as JSON, e.g. {"enable_thinking", "false"}.
  std::vector<std::pair<std::string, std::string>> variables;
  // What strftime_now() sees, in seconds since 1970 of local time; 0: the system's clock.
  std::int64_t now_local_seconds = 0;
  // Work after which rendering gives up: a step is a node evaluated or 16 bytes of text made. Real
  // templates take a few thousand, and some 100 per kilobyte of conversation.
  std::uint64_t max_steps = 10'000'000;
};

// Immutable and safe to use from several threads.
class ChatTemplate {
 public:
  // kFormat, kUnsupported or kLimit, naming the line.
  static Result<ChatTemplate> parse(std::string_view source);

  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;
  ~ChatTemplate();

  // kUsage with the template's own words when it calls raise_exception, and when a JSON text in the
  // input is broken; else as parse(). Bytes that are not UTF-8 become U+FFFD.
  [[nodiscard]] Result<std::string> render(const ChatInput& input) const;

 private:
  struct Tree;
  explicit ChatTemplate(std::unique_ptr<const Tree> tree);
  std::unique_ptr<const Tree> tree_;
};

}  // namespace edgelm::text

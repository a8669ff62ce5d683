// Chat templates come from model files: any bytes must parse and render, or fail with an error,
// within the stated limits.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/template/chat_template.h"

namespace {

edgelm::text::ChatInput fixed_input() {
  edgelm::text::ChatInput input;
  input.messages = {{"system", "Be brief.", ""},
                    {"user", "Hi \xC3\xA9 \xE4\xB8\x96", ""},
                    {"assistant", "<think>a</think>b", R"({"tool_calls": [{"function": {"name": "f",
                       "arguments": {"x": [1, 2.5, null, true, {"y": "z"}]}}}]})"},
                    {"user", "", ""}};
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.tools_json = R"([{"function": {"name": "f", "parameters": {"type": "object"}}}])";
  input.variables = {{"n", "7"}, {"f", "2.5"}, {"text", R"(" Hello ")"}, {"flag", "true"}};
  input.now_local_seconds = 1772719629;
  input.max_steps = 20000;  // slow inputs teach nothing more
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const edgelm::text::ChatInput input = fixed_input();
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const auto chat_template = edgelm::text::ChatTemplate::parse(source);
  if (!chat_template) return 0;
  const auto text = chat_template->render(input);
  if (text && text->size() > (std::size_t{16} << 20)) __builtin_trap();
  return 0;
}

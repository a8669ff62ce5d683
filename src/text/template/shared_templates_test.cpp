// The published chat templates of the external data folder against Jinja2's renderings, which
// tools/fixtures/render_templates.py wrote to tests/data/chat_templates_expected.json.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/data.h"
#include "text/template/chat_template.h"
#include "text/template/json.h"

namespace edgelm::text {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Everything but role and content goes through extra_json, and so does content that is not text.
Message message_of(const Value& value) {
  Message message;
  Dict extra;
  for (const auto& [key, field] : value.dict().items()) {
    if (key.text() == "role") {
      message.role = field.text();
    } else if (key.text() == "content" && field.is_text()) {
      message.content = field.text();
    } else {
      extra.set(key, field);
    }
  }
  if (extra.size() > 0) message.extra_json = to_json(Value(std::move(extra)), {});
  return message;
}

ChatInput input_of(const Dict& chat) {
  ChatInput input;
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.now_local_seconds = 1772719629;
  for (const Value& message : chat.find("messages")->list().items) {
    input.messages.push_back(message_of(message));
  }
  if (const Value* prompt = chat.find("add_generation_prompt"))
    input.add_generation_prompt = truth(*prompt);
  if (const Value* tools = chat.find("tools")) input.tools_json = to_json(*tools, {});
  if (const Value* documents = chat.find("documents"))
    input.documents_json = to_json(*documents, {});
  if (const Value* variables = chat.find("variables")) {
    for (const auto& [name, value] : variables->dict().items()) {
      input.variables.emplace_back(name.text(), to_json(value, {}));
    }
  }
  return input;
}

TEST(ChatTemplate, PublishedTemplatesRenderAsJinja2Does) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "needs the folder chat_templates of the external data";
  const Value file =
      from_json(file_text(test::source_dir() + "/tests/data/chat_templates_expected.json"));
  const Dict& conversations = file.dict().find("conversations")->dict();
  int compared = 0;
  int refused = 0;
  for (const auto& [name, results] : file.dict().find("expected")->dict().items()) {
    const std::string source = file_text(*data + "/chat_templates/" + std::string(name.text()));
    const auto chat_template = ChatTemplate::parse(source);
    ASSERT_TRUE(chat_template) << name.text() << ": " << chat_template.error().message;
    for (const auto& [title, expected] : results.dict().items()) {
      SCOPED_TRACE(std::string(name.text()) + ", " + std::string(title.text()));
      const auto text = chat_template->render(input_of(conversations.find(title)->dict()));
      ++compared;
      if (expected.is_none()) {
        ++refused;
        EXPECT_FALSE(text) << *text;
      } else if (text) {
        EXPECT_EQ(*text, expected.text());
      } else {
        ADD_FAILURE() << text.error().message;
      }
    }
  }
  EXPECT_GE(compared, 14 * 15);
  EXPECT_LT(refused, compared / 2);
}

}  // namespace
}  // namespace edgelm::text

// The cases of tests/data/template_cases.txt, whose expected parts come from Jinja2, and the input
// side of ChatTemplate.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "support/data.h"
#include "text/template/chat_template.h"

namespace edgelm::text {
namespace {

// The variables that tools/fixtures/render_templates.py renders the cases with.
ChatInput case_input() {
  ChatInput input;
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.now_local_seconds = 1772719629;  // 2026-03-05 14:07:09
  input.messages = {{"system", "Be brief.", ""},
                    {"user", "  Hi \u00e9\u4e16!\n", ""},
                    {"assistant", "<think>\nhm\n</think>\n\nHello.", ""},
                    {"user", "Bye", ""}};
  input.variables = {
      {"user", R"({"name": "Ann", "age": 30, "tags": ["b", "A", "c", "a"], "items": 5})"},
      {"tool", R"({"type": "object", "properties": {"b": {"type": "string"},
                   "A": {"type": ["integer", "null"]}}})"},
      {"n", "7"},
      {"f", "2.5"},
      {"text", R"("  Hello, W\u00f6rld! ")"},
      {"empty", R"("")"},
      {"nothing", "null"},
      {"flag", "true"},
  };
  return input;
}

Result<std::string> render(std::string_view source, const ChatInput& input = case_input()) {
  EDGELM_TRY_ASSIGN(const ChatTemplate chat_template, ChatTemplate::parse(source));
  return chat_template.render(input);
}

TEST(ChatTemplate, CasesRenderAsJinja2Does) {
  std::ifstream file(test::source_dir() + "/tests/data/template_cases.txt", std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  const std::string all = content.str();
  int n_cases = 0;
  constexpr std::string_view kMark = "\n=== ";
  for (std::size_t at = all.find(kMark); at != std::string::npos;) {
    const std::size_t next = all.find(kMark, at + 1);
    const std::string part =
        all.substr(at + kMark.size(), next == std::string::npos ? next : next - at - kMark.size());
    at = next;
    const std::size_t name_end = part.find('\n');
    const std::size_t result = part.find("\n--- ");
    ASSERT_NE(result, std::string::npos) << part;
    const std::string name = part.substr(0, name_end);
    const std::string source = part.substr(name_end + 1, result - name_end - 1);
    const std::string kind = part.substr(result + 5, part.find('\n', result + 1) - result - 5);
    const auto text = render(source);
    ++n_cases;
    if (kind == "expected") {
      ASSERT_TRUE(text) << name << ": " << text.error().message;
      EXPECT_EQ(*text, part.substr(part.find('\n', result + 1) + 1)) << name;
    } else {
      ASSERT_TRUE(kind.starts_with("error")) << name;
      ASSERT_FALSE(text) << name << ": " << *text;
      const std::string words = kind.size() > 6 ? kind.substr(6) : "";
      EXPECT_NE(text.error().message.find(words), std::string::npos)
          << name << ": " << text.error().message;
    }
  }
  EXPECT_GE(n_cases, 80);
}

TEST(ChatTemplate, MessagesCarryFurtherFields) {
  ChatInput input;
  input.messages = {{"user", "kept", R"({"name": "bob"})"},
                    {"assistant", "replaced", R"({"content": null, "tool_calls": [{"id": 1}]})"}};
  const auto text = render(
      "{% for m in messages %}{{ m.role }} {{ m.content }} {{ m.name }} {{ m.tool_calls|length }};"
      "{% endfor %}{{ tools }}",
      input);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*text, "user kept bob 0;assistant None  1;None");
}

TEST(ChatTemplate, ErrorsNameLineAndCode) {
  const auto error = [](std::string_view source) {
    const auto text = render(source);
    return text ? Error{ErrorCode::kInternal, *text} : text.error();
  };
  EXPECT_EQ(error("a\nb\n{{ nosuch.x }}").message, "chat template: line 3: 'nosuch' is undefined");
  EXPECT_EQ(error("{% if %}").message, "chat template: line 1: expected an expression, got '%}'");
  EXPECT_EQ(error("{{ raise_exception('roles must alternate') }}").message,
            "chat template: roles must alternate");
  EXPECT_EQ(error("{{ raise_exception('x') }}").code, ErrorCode::kUsage);
  EXPECT_EQ(error("{% include 'x' %}").code, ErrorCode::kUnsupported);
  EXPECT_EQ(error("{{ 1|nosuch }}").code, ErrorCode::kUnsupported);
  ChatInput input;
  input.tools_json = "[1,";
  EXPECT_EQ(render("x", input).error().message,
            "chat template: tools: JSON: expected a value at byte 3");
}

TEST(ChatTemplate, InvalidUtf8IsRepaired) {
  ChatInput input;
  input.messages = {{"user", "a\xE2\x82", ""}};
  EXPECT_EQ(render("\xFF{{ messages[0].content }}", input).value(), "\uFFFDa\uFFFD");
}

// Each of these would hang, overflow the stack or exhaust memory in an interpreter without limits.
TEST(ChatTemplate, HostileTemplatesAreRefused) {
  const auto repeated = [](std::string_view text, int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += text;
    return out;
  };
  // A value that `next` makes larger, n times.
  const auto growing = [](int n, std::string_view first, std::string_view next) {
    return fmt::format("{{% set ns = namespace(s={}) %}}{{% for i in range({}) %}}", first, n) +
           fmt::format("{{% set ns.s = {} %}}{{% endfor %}}", next);
  };
  const auto doubling = [&](std::string_view first, std::string_view next) {
    return growing(60, first, next);
  };
  const std::string sources[] = {
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% macro f(x=f()) %}{% endmacro %}{{ f() }}",
      "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
      doubling("'x'", "ns.s + ns.s"),
      doubling("[1]", "ns.s + ns.s"),
      doubling("[1]", "[ns.s, ns.s]") + "{{ ns.s }}",
      fmt::format("{}{}", "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}",
                  "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}"
                  "{{ n.a == n.b }}"),
      growing(1000, "[1]", "[ns.s]"),
      "{{ 'x' * 100000000000 }}",
      "{{ [1] * 100000000000 }}",
      "{{ 'x'|center(100000000000) }}",
      "{{ '%1000000000d' % 1 }}",
      "{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}",
      "{{ 'a\n'|indent(100000000000) }}",
      "{{ [[1]]|tojson(indent=10000000000) }}",
      "{{ (['a' * 1000000] * 1000)|join('x') }}",
      "{{ 9223372036854775807 + 1 }}",
      "{{ 99999999999999999999 }}",
      "{{ 10 ** 100 }}",
      "{% for i in range(100000) %}{{ 'x' * 1000 }}{% endfor %}",
      "{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}",
      "{{ " + repeated("not ", 5000) + "1 }}",
      "{{ " + repeated("-", 5000) + "1 }}",
      "{{ x" + repeated(".a", 5000) + " }}",
      "{{ x" + repeated("|string", 5000) + " }}",
      "{{ " + repeated("[", 5000) + repeated("]", 5000) + " }}",
      repeated("{% if true %}", 5000) + repeated("{% endif %}", 5000),
      std::string(2 << 20, 'x'),
      "{% set ns = namespace() %}{% set ns.me = ns %}{{ [ns, ns.me]|tojson }}",
      "{{ range(0, 9223372036854775807, 9223372036854775806)|list|length + 'x' }}",
  };
  for (const std::string& source : sources) {
    const auto text = render(source);
    EXPECT_FALSE(text) << source.substr(0, 100);
  }
}

// Chains are not nesting: long ones are fine.
TEST(ChatTemplate, LongChainsAreFine) {
  std::string sum = "{{ 'a'";
  std::string branches = "{% if n == 0 %}0";
  for (int i = 1; i < 1000; ++i) {
    sum += " + 'b'";
    branches += "{% elif n == 10" + std::to_string(i) + " %}x";
  }
  EXPECT_EQ(render(sum + " }}").value().size(), 1000U);
  EXPECT_EQ(render(branches + "{% else %}end{% endif %}").value(), "end");
}

}  // namespace
}  // namespace edgelm::text

// Conformance: the vectors of published vocabularies (external data), and the cases that the
// training tools computed for the built-in vocabulary.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "os/file.h"
#include "support/data.h"
#include "text/tokenizer.h"

namespace edgelm::text {
namespace {

std::vector<std::string> split_text(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  for (std::size_t end = 0; (end = text.find(separator, at)) != std::string::npos;
       at = end + separator.size())
    parts.push_back(text.substr(at, end - at));
  parts.push_back(text.substr(at));
  return parts;
}

std::vector<TokenId> parse_ids(const std::string& line) {
  std::istringstream in(line);
  std::vector<TokenId> ids;
  for (TokenId id = 0; in >> id;) ids.push_back(id);
  return ids;
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::string& path) {
  auto file = formats::GgufFile::open(path);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return nullptr;
  }
  auto tokenizer =
      Tokenizer::from_gguf(*file);  // the file closes here; the tokenizer does not mind
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message;
    return nullptr;
  }
  return std::move(*tokenizer);
}

constexpr std::uint64_t kMaxFile = 64U << 20;

class Vectors : public testing::TestWithParam<const char*> {};

TEST_P(Vectors, EveryCaseGivesItsIdsAndItsBytesBack) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const std::string base = *data + "/tokenizers/" + GetParam();
  if (!os::file_exists(base + ".gguf")) GTEST_SKIP() << base << ".gguf is absent";
  const auto tokenizer = open_tokenizer(base + ".gguf");
  ASSERT_NE(tokenizer, nullptr);
  const auto cases =
      split_text(os::read_file(base + ".inp", kMaxFile).value(), "\n__ggml_vocab_test__\n");
  const auto lines = split_text(os::read_file(base + ".out", kMaxFile).value(), "\n");
  ASSERT_GE(cases.size(), 40U);
  ASSERT_GE(lines.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto ids = tokenizer->encode(cases[i], {.add_special = false});
    ASSERT_TRUE(ids.has_value()) << ids.error().message;
    EXPECT_EQ(*ids, parse_ids(lines[i])) << "case " << i << ": " << cases[i];
    EXPECT_EQ(tokenizer->decode(*ids), cases[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Published, Vectors,
                         testing::Values("llama-spm", "gpt-2", "falcon", "deepseek-coder", "qwen2",
                                         "llama-bpe"),
                         [](const auto& vector) {
                           std::string name = vector.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(BuiltinVocabulary, AgreesWithTheTrainingTools) {
  const std::string folder = test::source_dir() + "/models/";
  const std::string model = folder + "edgelm-novels-tiny-q8_0.gguf";
  const auto json = os::read_file(folder + "tokenizer_cases.json", kMaxFile);
  if (!json || !os::file_exists(model)) GTEST_SKIP() << "no built-in model in " << folder;
  const auto tokenizer = open_tokenizer(model);
  ASSERT_NE(tokenizer, nullptr);
  std::size_t n_cases = 0;
  for (const auto& entry : nlohmann::json::parse(*json)) {
    const auto text = entry.at("text").get<std::string>();
    const auto ids = tokenizer->encode(text, {.add_special = false});
    ASSERT_TRUE(ids.has_value());
    EXPECT_EQ(*ids, entry.at("ids").get<std::vector<TokenId>>()) << text;
    EXPECT_EQ(tokenizer->decode(*ids), text);
    ++n_cases;
  }
  EXPECT_GT(n_cases, 20U);
}

}  // namespace
}  // namespace edgelm::text

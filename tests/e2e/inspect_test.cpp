// edgelm inspect: the promises of its two outputs, and its exit codes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "api/json.h"
#include "e2e/program.h"
#include "formats/gguf_writer.h"
#include "support/gguf_builder.h"

namespace edgelm {
namespace {

using test::run_edgelm;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Inspect : public ::testing::Test {
 protected:
  void TearDown() override { std::remove(path_.c_str()); }
  void write(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string path_ = test::temporary_path("model.gguf");
};

// Everything that could disturb a terminal or a JSON parser, in keys, values and names.
std::string hostile_file() {
  formats::GgufWriter writer;
  writer.set("general.architecture", "\x1b[31m");
  writer.set("general.name", "\x1b]0;owned\x07\xc2\x9b\xe2\x80\xae\n\xff");
  writer.set("\x1b[2J\xff", "value");
  writer.set("nan", std::numeric_limits<double>::quiet_NaN());
  writer.set_array("wide", std::vector<std::uint64_t>{~0ull});
  const std::string data(16, 'x');
  tensor::Shape shape;
  shape.dims[0] = 4;
  writer.add_tensor("w\x1b[5m\n", tensor::DType::kF32, shape, as_byte_span(data));
  return writer.to_bytes().value();
}

TEST_F(Inspect, BuiltInModelAsTable) {
  const auto result = run_edgelm({"inspect", "tiny", "-c", "64"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("token_embd.weight"), HasSubstr("totals by type"),
                                HasSubstr("bits per weight"), HasSubstr("with -c 64")));
  EXPECT_EQ(result.err, "");
}

TEST_F(Inspect, BuiltInModelAsJson) {
  const auto result = run_edgelm({"inspect", "tiny", "-o", "json", "-c", "64"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const api::Json json = api::Json::parse(result.out);
  EXPECT_EQ(json["metadata"]["general.architecture"]["value"], "llama");
  EXPECT_EQ(json["memory"]["context_tokens"], 64);
  EXPECT_EQ(json["totals"]["tensors"], json["tensors"].size());
  std::uint64_t bytes = 0;
  for (const auto& tensor : json["tensors"]) bytes += tensor["bytes"].get<std::uint64_t>();
  EXPECT_EQ(json["totals"]["bytes"], bytes);
}

TEST_F(Inspect, MoreContextTakesMoreMemory) {
  const auto total = [](const char* context) {
    const auto result = run_edgelm({"inspect", "tiny", "-o", "json", "-c", context});
    return api::Json::parse(result.out)["memory"]["total_bytes"].get<std::uint64_t>();
  };
  EXPECT_LT(total("128"), total("512"));
}

TEST_F(Inspect, HostileTextIsHarmlessInBothForms) {
  write(hostile_file());
  for (const bool full : {false, true}) {
    auto arguments = std::vector<std::string>{"inspect", path_};
    if (full) arguments.emplace_back("--full");
    const auto table = run_edgelm(arguments);
    EXPECT_EQ(table.exit_code, 0) << table.err;
    for (const char c : table.out)
      ASSERT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) << table.out;
    EXPECT_THAT(table.out, HasSubstr("\\x1b]0;owned\\x07\\u009b\\u202e\\n\\xff"));
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto json = run_edgelm(arguments);
    EXPECT_EQ(json.exit_code, 0) << json.err;
    ASSERT_TRUE(api::Json::accept(json.out)) << json.out;
    EXPECT_EQ(json.out.find('\x1b'), std::string::npos);
    const api::Json value = api::Json::parse(json.out);
    EXPECT_EQ(value["metadata"]["wide"]["value"][0], ~0ull);
    EXPECT_TRUE(value["metadata"]["nan"]["value"].is_null());
    EXPECT_TRUE(value["memory"].contains("unavailable"));
  }
}

TEST_F(Inspect, ShowsTypesItCannotRun) {
  test::GgufBuilder builder(1, 1);
  builder.string("general.architecture", "llama").tensor("w", {256}, 17, 0).data(74);
  write(builder.bytes());
  const auto result = run_edgelm({"inspect", path_});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("IQ2_XS"), HasSubstr("n/a: this build cannot run")));
}

TEST_F(Inspect, FailuresAreOneLineAndExitCodesMeanSomething) {
  write("version https://git-lfs.github.com/spec/v1\n");
  const auto pointer = run_edgelm({"inspect", path_});
  EXPECT_EQ(pointer.exit_code, 1);
  EXPECT_EQ(pointer.out, "");
  EXPECT_THAT(pointer.err, AllOf(StartsWith("edgelm: "), HasSubstr("Git LFS pointer")));
  EXPECT_EQ(std::count(pointer.err.begin(), pointer.err.end(), '\n'), 1);
  EXPECT_EQ(run_edgelm({"inspect", path_ + ".absent"}).exit_code, 1);
  EXPECT_EQ(run_edgelm({"inspect", "tiny", "-o", "yaml"}).exit_code, 2);
  EXPECT_EQ(run_edgelm({"inspect", "tiny", "-c", "0"}).exit_code, 2);
  EXPECT_EQ(run_edgelm({"inspect", "--help"}).exit_code, 0);
}

}  // namespace
}  // namespace edgelm

// Names on a hub, the choice of a file, and headers fetched from a scripted hub that redirects to a
// store of its own, as the real one does.

#include "endpoint/hub.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "api/json.h"
#include "endpoint/gguf_extent.h"
#include "support/gguf_builder.h"
#include "support/loopback_server.h"

namespace edgelm::endpoint {
namespace {

using test::Exchange;
using test::GgufBuilder;
using test::HttpRequest;
using test::LoopbackServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kToken = "hf_secret_token";

TEST(HubNames, AreTakenApart) {
  const std::string commit = "0123456789abcdef0123456789abcdef01234567";
  const std::string cases[][6] = {
      {"o/r", "o", "r", "", "", ""},
      {"hf:o/R-GGUF", "o", "R-GGUF", "", "", ""},
      {"hf://o/r/sub/f.gguf", "o", "r", "sub/f.gguf", "", ""},
      {"o/r:Q4_K_M", "o", "r", "", "Q4_K_M", ""},
      {"o/r:f-Q8_0.GGUF", "o", "r", "f-Q8_0.GGUF", "", ""},
      {"hf.co/o/r:Q8_0", "o", "r", "", "Q8_0", ""},
      {"huggingface.co/o/r@v1.0", "o", "r", "", "", "v1.0"},
      {"hf.co/o/r@" + commit + ":Q8_0", "o", "r", "", "Q8_0", commit},
      {"o/r@dev_2/sub/f@x.gguf", "o", "r", "sub/f@x.gguf", "", "dev_2"},
      {"o/r@dev:f@x.gguf", "o", "r", "f@x.gguf", "", "dev"},
      {"o/r@feature%2Fnew%2fq/f.gguf", "o", "r", "f.gguf", "", "feature/new/q"},
      {"hf://o/r@refs/pr/12", "o", "r", "", "", "refs/pr/12"},
      {"o/r@refs/pr/12:Q4_0", "o", "r", "", "Q4_0", "refs/pr/12"},
      {"o/r@refs/convert/gguf/sub/f.gguf", "o", "r", "sub/f.gguf", "", "refs/convert/gguf"},
      {"o/r/sub@x/f.gguf", "o", "r", "sub@x/f.gguf", "", ""}};
  for (const auto& [text, owner, repo, file, quant, revision] : cases) {
    const auto name = parse_hub_name(text);
    ASSERT_TRUE(name) << name.error().message;
    EXPECT_EQ(name->owner, owner);
    EXPECT_EQ(name->repo, repo);
    EXPECT_EQ(name->file, file);
    EXPECT_EQ(name->quant, quant);
    EXPECT_EQ(name->revision, revision) << text;
  }
  for (const std::string text :
       {"", "o", "o/", "/r", "../r/f.gguf", "o/r/", "o/r/../f.gguf", "o/r//f.gguf", "o/r/f.bin",
        "o/r:", "o/r/f.gguf:Q4_0", "o/r:a b", "o/r/f\n.gguf", "o o/r", "o/r?x=/f.gguf", "hf.co/o",
        "hf.co/hf.co/o/r", "hf:hf.co/o/r"}) {
    const auto name = parse_hub_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, ErrorCode::kUsage);
  }
}

TEST(HubNames, RevisionsThatAreRefused) {
  for (const std::string& revision : {std::string(),
                                      std::string("a b"),
                                      std::string("-x"),
                                      std::string(".x"),
                                      std::string("a..b"),
                                      std::string("x.lock"),
                                      std::string("x."),
                                      std::string("a@b"),
                                      std::string("a%20b"),
                                      std::string("a%2F..%2Fb"),
                                      std::string("%2Fa"),
                                      std::string("a%2F"),
                                      std::string("a?b"),
                                      std::string("a#b"),
                                      std::string("a\\b"),
                                      std::string("a\x1b[2J"),
                                      std::string("\xc3\xa4"),
                                      std::string("refs/pr/"),
                                      std::string("refs/pr//f.gguf"),
                                      std::string(300, 'a')}) {
    for (const char* after : {"", ":Q4_0"}) {
      const auto name = parse_hub_name("o/r@" + revision + after);
      ASSERT_FALSE(name) << revision << after;
      EXPECT_EQ(name.error().code, ErrorCode::kUsage);
      EXPECT_THAT(name.error().message,
                  AllOf(HasSubstr("@REVISION after REPO"), Not(HasSubstr("\x1b"))));
    }
  }
  for (const char* text : {"o/r:Q4_0@dev", "@dev", "o@dev/r", "o/@dev", "o/r/f.gguf@dev"}) {
    const auto name = parse_hub_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_THAT(name.error().message, HasSubstr("@REVISION after REPO"));
  }
  EXPECT_TRUE(has_hub_prefix("hf.co/o/r"));
  EXPECT_TRUE(has_hub_prefix("hf:o/r@dev"));
  EXPECT_FALSE(has_hub_prefix("hf.com/o/r"));
  EXPECT_FALSE(has_hub_prefix("o/r@dev"));
}

std::string chosen(const std::vector<std::string>& paths, const std::string& quant) {
  std::vector<HubFile> files;
  files.reserve(paths.size());
  for (const std::string& path : paths) files.push_back({path, 1});
  const auto file = choose_file(files, {"o", "r", "", quant});
  return file ? file->path : "error: " + file.error().message;
}

TEST(HubNames, ChooseAFile) {
  const std::vector<std::string> files = {"m-IQ4_XS.gguf",
                                          "m-Q4_K_M.gguf",
                                          "m-Q4_K_S.gguf",
                                          "m-Q8_0.gguf",
                                          "m.Q4_0.gguf",
                                          "mmproj-m-f16.gguf",
                                          "big/m-bf16-00001-of-00002.gguf",
                                          "big/m-bf16-00002-of-00002.gguf"};
  EXPECT_EQ(chosen(files, ""), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen(files, "q8_0"), "m-Q8_0.gguf");
  EXPECT_EQ(chosen(files, "Q4_0"), "m.Q4_0.gguf");
  EXPECT_EQ(chosen(files, "BF16"), "big/m-bf16-00001-of-00002.gguf");
  EXPECT_THAT(chosen(files, "Q4_K"), HasSubstr("no file of Q4_K: name one of"));
  EXPECT_THAT(chosen(files, "f16"), HasSubstr("no file of f16"));  // a projector is no model
  EXPECT_EQ(chosen({"only-F32.gguf", "mmproj.gguf"}, ""), "only-F32.gguf");
  EXPECT_THAT(chosen({"a-Q4_K_M.gguf", "b-Q4_K_M.gguf"}, ""), HasSubstr("2 files of Q4_K_M"));
  EXPECT_THAT(chosen({"a-Q2_K.gguf", "b-Q8_0.gguf"}, ""), HasSubstr("no file of Q4_K_M"));
  EXPECT_THAT(chosen({}, ""), HasSubstr("no GGUF file"));
}

// A header of about `n_words` x 22 bytes, then tensor data.
std::string gguf_file(std::size_t n_words, std::size_t data_bytes) {
  GgufBuilder file(1, 3);
  file.string("general.architecture", "llama").u32("llama.block_count", 2);
  file.array("tokenizer.ggml.tokens", 8, n_words);
  for (std::size_t i = 0; i < n_words; ++i) file.text("word" + std::to_string(1'000'000'000 + i));
  file.tensor("token_embd.weight", {32, 8}, 0, 0);
  return file.bytes() + std::string(data_bytes, 'w');
}

TEST(GgufExtent, FindsTheEndFromEveryPrefix) {
  const std::string header = gguf_file(5, 0);
  const std::string file = header + "data";
  std::uint64_t last = 0;
  for (std::size_t n = 0; n < header.size(); ++n) {
    const GgufExtent extent = gguf_extent(std::string_view(file).substr(0, n));
    ASSERT_EQ(extent.kind, GgufExtent::Kind::kMore) << n;
    ASSERT_GT(extent.bytes, n);
    ASSERT_LE(extent.bytes, header.size());
    ASSERT_GE(extent.bytes, last);
    last = extent.bytes;
  }
  const GgufExtent whole = gguf_extent(file);
  EXPECT_EQ(whole.kind, GgufExtent::Kind::kWhole);
  EXPECT_EQ(whole.bytes, header.size());
}

TEST(GgufExtent, IsNotFooledByBigNumbers) {
  EXPECT_EQ(gguf_extent("<html>").kind, GgufExtent::Kind::kNotGguf);
  std::string file = gguf_file(1, 0);
  // Every 8 bytes become the largest number in turn: never a crash, never a wish beyond 4 GiB.
  for (std::size_t at = 4; at + 8 <= file.size(); ++at) {
    std::string damaged = file;
    damaged.replace(at, 8, 8, '\xff');
    const GgufExtent extent = gguf_extent(damaged);
    EXPECT_LE(extent.bytes, std::uint64_t{1} << 32);
  }
}

// A hub with files, which lie in a store that may not see the token.
class HubTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("EDGELM_HUB", (hub_.url() + "/").c_str(), 1);
    ::setenv("HF_TOKEN", kToken, 1);
  }
  void TearDown() override {
    ::unsetenv("EDGELM_HUB");
    ::unsetenv("HF_TOKEN");
  }

  void serve_hub(const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.header("authorization"), std::string("Bearer ") + kToken);
    const std::string path(request.path());
    if (path.starts_with("/o/r/resolve/main/")) {
      const std::string file = path.substr(18);
      if (files_.contains(file)) {
        exchange.respond(302, "", "text/plain", {{"Location", store_.url("/" + file + "?sig=1")}});
      } else {
        exchange.respond(404, "Entry not found", "text/plain");
      }
    } else if (path == "/api/models/o/r/tree/main") {
      serve_list(request, exchange);
    } else if (path.starts_with("/o/r/resolve/refs%2Fpr%2F1/")) {
      exchange.respond(302, "", "text/plain",
                       {{"Location", store_.url("/pr1-" + path.substr(27))}});
    } else if (path == "/api/models/o/r/tree/refs%2Fpr%2F1") {
      exchange.respond(200, R"([{"type": "file", "path": "m-Q4_0.gguf", "size": 1}])");
    } else if (path.starts_with("/o/r/resolve/") || path.starts_with("/api/models/o/r/tree/")) {
      exchange.respond(404, R"({"error": "Invalid rev id"})", "application/json",
                       {{"X-Error-Code", "RevisionNotFound"}});
    } else {
      exchange.respond(401, R"({"error": "Invalid username or password."})");
    }
  }

  // One file a page, so that pages are followed.
  void serve_list(const HttpRequest& request, Exchange& exchange) {
    const std::size_t cursor = request.target.find("cursor=");
    auto at = files_.begin();
    if (cursor != std::string::npos) at = files_.find(request.target.substr(cursor + 7));
    api::Json page = {{{"type", "directory"}, {"path", "sub"}},
                      {{"type", "file"}, {"path", "README.md"}, {"size", 5}},
                      {{"type", "file"}, {"path", at->first}, {"size", at->second.size()}}};
    std::vector<std::pair<std::string, std::string>> headers;
    if (++at != files_.end())
      headers.emplace_back("Link", "<" + hub_.url("/api/models/o/r/tree/main?cursor=" + at->first) +
                                       ">; rel=\"next\"");
    exchange.respond(200, api::dump(page), "application/json", headers);
  }

  void serve_store(const HttpRequest& request, Exchange& exchange) {
    EXPECT_EQ(request.header("authorization"), "");
    const std::string& file = files_.at(std::string(request.path().substr(1)));
    exchange.respond_range(request, file);
  }

  std::map<std::string, std::string> files_;
  LoopbackServer store_{
      [this](const HttpRequest& request, Exchange& exchange) { serve_store(request, exchange); }};
  LoopbackServer hub_{
      [this](const HttpRequest& request, Exchange& exchange) { serve_hub(request, exchange); }};
};

TEST_F(HubTest, FetchesTheHeaderAndNotTheModel) {
  files_["m-Q4_K_M.gguf"] = gguf_file(100, 8'000'000);
  const auto header = fetch_gguf_header("hf:o/r/m-Q4_K_M.gguf");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->name, "o/r/m-Q4_K_M.gguf");
  EXPECT_EQ(header->file_bytes, files_["m-Q4_K_M.gguf"].size());
  EXPECT_EQ(header->bytes, files_["m-Q4_K_M.gguf"].substr(0, 2 << 20));
  EXPECT_THAT(store_.requests(), SizeIs(1));
}

TEST_F(HubTest, GoesOnUntilTheHeaderIsWhole) {
  files_["m.gguf"] = gguf_file(300'000, 8'000'000);  // 6.6 MB of words
  const auto header = fetch_gguf_header("o/r/m.gguf");
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(gguf_extent(header->bytes).kind, GgufExtent::Kind::kWhole);
  EXPECT_LT(header->bytes.size(), 9u << 20);
  EXPECT_THAT(store_.requests(), SizeIs(3));  // 2, 4, 8 MiB
}

TEST_F(HubTest, ChoosesByQuantizationAcrossPages) {
  files_["m-Q4_K_M.gguf"] = gguf_file(1, 10);
  files_["m-Q8_0.gguf"] = gguf_file(2, 10);
  EXPECT_EQ(fetch_gguf_header("o/r:q8_0")->name, "o/r/m-Q8_0.gguf");
  EXPECT_EQ(fetch_gguf_header("o/r")->name, "o/r/m-Q4_K_M.gguf");
  const auto files = list_gguf_files({"o", "r", "", ""});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_THAT(*files, SizeIs(2));
  EXPECT_EQ((*files)[1].bytes, files_["m-Q8_0.gguf"].size());
}

TEST_F(HubTest, FetchesAllPartsOfASplitModel) {
  files_["m-00001-of-00002.gguf"] = gguf_file(1, 1000);
  files_["m-00002-of-00002.gguf"] = gguf_file(0, 500);
  const auto header = fetch_gguf_header("o/r");
  ASSERT_TRUE(header) << header.error().message;
  ASSERT_THAT(header->more, SizeIs(1));
  EXPECT_EQ(header->more[0].name, "o/r/m-00002-of-00002.gguf");
  EXPECT_EQ(header->file_bytes,
            files_["m-00001-of-00002.gguf"].size() + files_["m-00002-of-00002.gguf"].size());
  EXPECT_EQ(fetch_gguf_header("o/r/m-00002-of-00002.gguf").error().code, ErrorCode::kUsage);
}

TEST_F(HubTest, FetchesARevision) {
  files_["m-Q4_0.gguf"] = gguf_file(1, 10);
  files_["pr1-m-Q4_0.gguf"] = gguf_file(2, 20);  // what the store has for the revision
  for (const char* name : {"hf.co/o/r@refs/pr/1", "o/r@refs%2Fpr%2F1:q4_0",
                           "hf:o/r@refs/pr/1/m-Q4_0.gguf", "o/r@refs/pr/1:m-Q4_0.gguf"}) {
    const auto header = fetch_gguf_header(name);
    ASSERT_TRUE(header) << name << ": " << header.error().message;
    EXPECT_EQ(header->name, "o/r@refs/pr/1/m-Q4_0.gguf");
    EXPECT_EQ(header->bytes, files_["pr1-m-Q4_0.gguf"]);
  }
  const auto at_main = fetch_gguf_header("o/r@main/m-Q4_0.gguf");
  ASSERT_TRUE(at_main) << at_main.error().message;
  EXPECT_EQ(at_main->bytes, files_["m-Q4_0.gguf"]);
  for (const char* name : {"o/r@gone", "o/r@gone/m-Q4_0.gguf"}) {
    const auto gone = fetch_gguf_header(name);
    ASSERT_FALSE(gone) << name;
    EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(gone.error().message, "o/r@gone: the hub has no such revision of this repository");
  }
}

TEST_F(HubTest, TakesPagesAndUrls) {
  files_["m.gguf"] = gguf_file(1, 1000);
  const auto page = fetch_gguf_header(hub_.url("/o/r/blob/main/m.gguf"));
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->bytes, files_["m.gguf"]);
  const auto url = fetch_gguf_header(store_.url("/m.gguf?sig=1"));  // another server: no token
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->name, store_.url("/m.gguf"));
}

TEST_F(HubTest, SaysWhatIsWrong) {
  files_["m.gguf"] = gguf_file(1, 1000);
  files_["page.gguf"] = "<html>not a model</html>";
  files_["short.gguf"] = gguf_file(100, 0).substr(0, 1000);
  const auto missing = fetch_gguf_header("o/r/n.gguf");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message, AllOf(HasSubstr("no file 'n.gguf'"), HasSubstr("m.gguf")));
  const auto closed = fetch_gguf_header("o/closed");
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, ErrorCode::kPermission);
  EXPECT_THAT(closed.error().message, AllOf(HasSubstr("HF_TOKEN"), Not(HasSubstr(kToken))));
  EXPECT_THAT(fetch_gguf_header("o/r/page.gguf").error().message,
              HasSubstr("not a GGUF file; it begins: <html>"));
  EXPECT_THAT(fetch_gguf_header("o/r/short.gguf").error().message,
              HasSubstr("ends inside its header"));
}

}  // namespace
}  // namespace edgelm::endpoint

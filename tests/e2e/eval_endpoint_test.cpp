// edgelm eval against servers on the loopback interface whose answers are scripted: the score, the
// key, and what is said when a server cannot do it.

#include <gtest/gtest.h>

#include <fstream>

#include "process.h"
#include "support/loopback_server.h"

namespace edgelm::e2e {
namespace {

// Lists one model and answers "B" to every chat.
test::LoopbackServer::Handler always_b(bool needs_key) {
  return [needs_key](const test::HttpRequest& request, test::Exchange& exchange) {
    if (needs_key && request.header("authorization") != "Bearer s3cret-key") {
      exchange.respond(401, R"({"error":{"message":"who are you?"}})");
    } else if (request.path() == "/v1/models") {
      exchange.respond(200, R"({"object":"list","data":[{"id":"always-b"}]})");
    } else if (request.path() == "/v1/chat/completions") {
      exchange.begin_chunks();
      exchange.event(R"({"choices":[{"index":0,"delta":{"content":"B"},"finish_reason":"stop"}]})");
      exchange.event("[DONE]");
      exchange.end_chunks();
    } else {
      exchange.respond(400, R"({"error":{"message":"echo is not supported"}})");
    }
  };
}

class EvalOfAServer : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream csv(work_folder() + "/quiz_test.csv");
    for (int i = 0; i < 8; ++i)
      csv << "q" << i << ",w,x,y,z,"
          << "ABCD"[i % 4] << "\n";
    std::ofstream(work_folder() + "/key") << "s3cret-key\n";
  }
};

TEST_F(EvalOfAServer, ByLetters) {
  const test::LoopbackServer server(always_b(false));
  const Outcome got =
      run("edgelm eval choice --endpoint " + server.url() + " -f quiz_test.csv --letters");
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_NE(got.out.find("acc_letter 25.00 %"), std::string::npos) << got.out;
  EXPECT_NE(got.out.find("8 items, random 25 %"), std::string::npos) << got.out;
}

TEST_F(EvalOfAServer, WithoutLogProbabilitiesNamesTheOtherWay) {
  const test::LoopbackServer server(always_b(false));
  const Outcome got = run("edgelm eval choice --endpoint " + server.url() + " -f quiz_test.csv");
  EXPECT_EQ(got.exit_code, 1);
  EXPECT_NE(got.err.find("echo is not supported"), std::string::npos) << got.err;
  EXPECT_NE(got.err.find("--letters"), std::string::npos) << got.err;
}

TEST_F(EvalOfAServer, KeyComesFromAFileAndIsNeverShown) {
  const test::LoopbackServer server(always_b(true));
  const std::string command =
      "edgelm eval choice --endpoint " + server.url() + " -f quiz_test.csv --letters -o json";
  const Outcome refused = run(command);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("who are you?"), std::string::npos) << refused.err;
  const Outcome got = run(command + " --api-key-file key");
  EXPECT_EQ(got.exit_code, 0) << got.err;
  EXPECT_NE(got.out.find("\"model\": \"always-b\""), std::string::npos) << got.out;
  EXPECT_EQ((got.out + got.err + refused.err).find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::e2e

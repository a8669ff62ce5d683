// Whole evaluations against scripted servers on the loopback interface, whose scores are known.

#include "quality/endpoint_subject.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "quality/choice.h"
#include "quality/compare.h"
#include "quality/gsm8k.h"
#include "quality/lambada.h"
#include "support/loopback_server.h"

namespace edgelm::quality {
namespace {

using api::Json;

// Lists one model; the rest goes to `answer`, which gives a status and a body.
class Server {
 public:
  using Answer = std::function<std::pair<int, std::string>(const std::string& path, const Json&)>;
  explicit Server(Answer answer)
      : server_([answer = std::move(answer)](const test::HttpRequest& request,
                                             test::Exchange& exchange) {
          if (request.path() == "/v1/models") {
            exchange.respond(200, R"({"object":"list","data":[{"id":"scripted-1b"}]})");
            return;
          }
          const auto json = api::parse(request.body, "body");
          if (!json) {
            exchange.respond(404, "{}");
            return;
          }
          const auto [status, body] = answer(std::string(request.path()), *json);
          if (status == 200 && json->value("stream", false)) {
            exchange.begin_chunks();
            exchange.event(body);
            exchange.event("[DONE]");
            exchange.end_chunks();
          } else {
            exchange.respond(status, body);
          }
        }) {}

  std::unique_ptr<EndpointSubject> subject() {
    auto connected = endpoint::Endpoint::connect(
        {.url = server_.url(), .retry_wait = std::chrono::milliseconds(1)});
    EXPECT_TRUE(connected) << connected.error().message;
    return std::make_unique<EndpointSubject>(std::move(*connected));
  }

 private:
  test::LoopbackServer server_;
};

std::string chat_answer(const std::string& text) {
  return api::dump(
      {{"choices", {{{"index", 0}, {"delta", {{"content", text}}}, {"finish_reason", "stop"}}}}},
      -1);
}

ChoiceSet questions(std::size_t n) {
  ChoiceSet set{.format = ChoiceFormat::kMmlu,
                .task = "mmlu",
                .data = "made",
                .protocol = "made",
                .tasks = {}};
  for (std::size_t i = 0; i < n; ++i) {
    ChoiceTask task;
    task.id = fmt::format("{}", i);
    task.question = fmt::format("{} + 1?", i);
    task.gold = static_cast<std::uint32_t>(i * 7 % 4);
    for (const char* choice : {"a", "b", "c", "d"}) {
      task.choices.emplace_back(choice);
      task.texts.push_back({task.question + "\nAnswer:",
                            std::string(" ") + static_cast<char>('A' + (choice[0] - 'a'))});
    }
    set.tasks.push_back(std::move(task));
  }
  return set;
}

const ChoiceOptions kByLetter = [] {
  ChoiceOptions options;
  options.by_letter = true;
  return options;
}();

TEST(EndpointSubject, AlwaysB) {
  Server server([](const std::string& path, const Json& body) -> std::pair<int, std::string> {
    EXPECT_EQ(path, "/v1/chat/completions");
    EXPECT_EQ(body.at("temperature").get<double>(), 0);
    return {200, chat_answer("B")};
  });
  const auto subject = server.subject();
  EXPECT_EQ(subject->identity().model, "scripted-1b");
  const Evaluation got = evaluate_choices(*subject, questions(40), kByLetter).value();
  ASSERT_FALSE(got.stopped) << got.stopped->message;
  EXPECT_DOUBLE_EQ(*got.records.at(0).value, 10.0 / 40);  // i * 7 % 4 is 1 for every fourth
  EXPECT_DOUBLE_EQ(*got.records[0].random_level, 0.25);
}

TEST(EndpointSubject, RightOnAKnownSubset) {
  const auto right_below = [](int begin, int end) {
    return Server([begin, end](const std::string&,
                               const Json& body) -> std::pair<int, std::string> {
      const std::string text = body.at("messages").back().at("content");
      const int i = std::stoi(text);
      const int letter = i >= begin && i < end ? i * 7 % 4 : (i * 7 + 1) % 4;
      return {200, chat_answer(fmt::format("The answer is {}.", static_cast<char>('A' + letter)))};
    });
  };
  auto a = right_below(0, 12);
  auto b = right_below(4, 22);
  const auto of_a = evaluate_choices(*a.subject(), questions(30), kByLetter).value();
  const auto of_b = evaluate_choices(*b.subject(), questions(30), kByLetter).value();
  EXPECT_DOUBLE_EQ(*of_a.records.at(0).value, 12.0 / 30);
  EXPECT_DOUBLE_EQ(*of_b.records.at(0).value, 18.0 / 30);
  const Comparison got = compare(of_a.records[0], of_b.records[0]).value();
  EXPECT_EQ(got.mcnemar.only_a, 4U);
  EXPECT_EQ(got.mcnemar.only_b, 10U);
  EXPECT_NEAR(got.mcnemar.exact_p, 2 * 1471.0 / 16384, 1e-9);  // C(14, 0..4) = 1, 14, 91, 364, 1001
  EXPECT_NEAR(got.mcnemar.mid_p, (2 * 1471.0 - 1001) / 16384, 1e-9);
}

// Echo with logprobs, as llama.cpp and vLLM answer: one token per word, log-probability by its
// length.
std::pair<int, std::string> echo(const std::string& path, const Json& body) {
  EXPECT_EQ(path, "/v1/completions");
  const std::string prompt = body.at("prompt");
  Json tokens = Json::array(), offsets = Json::array(), logprobs = Json::array(),
       top = Json::array();
  for (std::size_t at = 0; at < prompt.size();) {
    const std::size_t end = std::min(prompt.find(' ', at + 1), prompt.size());
    const std::string word = prompt.substr(at, end - at);
    tokens.push_back(word);
    offsets.push_back(at);
    const double logprob = -0.5 * static_cast<double>(word.size());
    logprobs.push_back(at == 0 ? Json(nullptr) : Json(logprob));
    // Words of up to four letters are the most likely ones.
    Json likeliest;
    if (at > 0) likeliest[word.size() <= 5 ? word : " other"] = word.size() <= 5 ? logprob : -0.1;
    top.push_back(likeliest);
    at = end;
  }
  return {200, api::dump({{"choices",
                           {{{"text", prompt},
                             {"finish_reason", "length"},
                             {"logprobs",
                              {{"tokens", tokens},
                               {"text_offset", offsets},
                               {"token_logprobs", logprobs},
                               {"top_logprobs", top}}}}}},
                          {"usage", {{"prompt_tokens", tokens.size()}}}})};
}

TEST(EndpointSubject, ScoresWhereTheServerEchoes) {
  Server server(echo);
  const auto subject = server.subject();
  ASSERT_TRUE(subject->can_score());
  const std::vector<Passage> passages = {
      {.id = "0", .context = "Tom fed his", .word = "dog"},
      {.id = "1", .context = "Tom fed his", .word = "elephant"},
  };
  const Evaluation got = evaluate_lambada(*subject, passages, "made", {}).value();
  ASSERT_FALSE(got.stopped) << got.stopped->message;
  EXPECT_DOUBLE_EQ(*got.records.at(0).value, 0.5);
  EXPECT_EQ(got.records[0].items[0].value, 1);
  // Words with their space: 4 and 9 characters, half a nat each.
  EXPECT_NEAR(*got.records.at(1).value, std::exp((2.0 + 4.5) / 2), 1e-9);
}

TEST(EndpointSubject, SaysWhenItCannotScore) {
  Server server([](const std::string&, const Json&) -> std::pair<int, std::string> {
    return {400, R"({"error":{"message":"echo is not supported"}})"};
  });
  const auto subject = server.subject();
  const auto refused = evaluate_choices(*subject, questions(4), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find("log-probabilities"), std::string::npos)
      << refused.error().message;
}

TEST(EndpointSubject, ServerThatFailsInTheMiddleLeavesWhatWasDone) {
  int asked = 0;
  Server server([&asked](const std::string&, const Json&) -> std::pair<int, std::string> {
    if (++asked > 5) return {500, R"({"error":{"message":"out of memory"}})"};
    return {200, chat_answer("A")};
  });
  const auto subject = server.subject();
  const Evaluation got = evaluate_choices(*subject, questions(20), kByLetter).value();
  EXPECT_EQ(got.done, 5U);
  ASSERT_TRUE(got.stopped);
  EXPECT_NE(got.stopped->message.find("out of memory"), std::string::npos) << got.stopped->message;
  EXPECT_EQ(got.records.at(0).n, 5U);
}

TEST(EndpointSubject, AnswersProblems) {
  std::vector<Problem> problems;
  problems.reserve(20);
  for (int i = 0; i < 20; ++i)
    problems.push_back({.id = fmt::format("{}", i),
                        .question = fmt::format("{} apples?", i),
                        .answer = fmt::format("#### {}", i),
                        .gold = fmt::format("{}", i)});
  Server server([](const std::string&, const Json& body) -> std::pair<int, std::string> {
    const std::string text = body.at("messages").back().at("content");
    const int i = std::stoi(text);
    if (i < 5) return {200, chat_answer(fmt::format("So...\n#### {}", i))};
    if (i < 12) return {200, chat_answer(fmt::format("It must be ${}.", i))};
    return {200, chat_answer("I do not know, 99 perhaps.")};
  });
  Gsm8kOptions options;
  options.chat = true;
  const Evaluation got = evaluate_gsm8k(*server.subject(), problems, {}, "made", options).value();
  EXPECT_DOUBLE_EQ(*got.records.at(0).value, 12.0 / 20);  // flexible
  EXPECT_DOUBLE_EQ(*got.records.at(1).value, 5.0 / 20);   // strict
}

}  // namespace
}  // namespace edgelm::quality

// LAMBADA, GSM8K and open questions over a subject whose answers are known, their data files, and
// what broken ones are told.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "quality/compare.h"
#include "quality/gsm8k.h"
#include "quality/lambada.h"
#include "quality/open_questions.h"
#include "support/data.h"
#include "support/scripted_subject.h"

namespace edgelm::quality {
namespace {

using test::ScriptedSubject;

TextFile file(const std::string& text) { return check_text("d.jsonl", text).value(); }

TEST(Lambada, ScoresTheLastWord) {
  const auto passages =
      read_lambada(
          file("{\"text\": \"one two three\"}\n\n{\"text\": \"four\\n\\nfive\\\" six\"}\n"))
          .value();
  ASSERT_EQ(passages.size(), 2U);
  EXPECT_EQ(passages[1].context, "four\n\nfive\"");
  EXPECT_EQ(passages[1].word, "six");
  ScriptedSubject subject;
  subject.score_pair = [](const Pair& pair) -> Result<Likelihood> {
    return pair.continuation == " three" ? ScriptedSubject::likelihood(-1, 1, true)
                                         : ScriptedSubject::likelihood(-3, 2, false);
  };
  const Evaluation got = evaluate_lambada(subject, passages, "d", {}).value();
  EXPECT_DOUBLE_EQ(*got.records.at(0).value, 0.5);
  EXPECT_DOUBLE_EQ(*got.records.at(1).value, std::exp(2.0));
  EXPECT_LT(got.records[1].low, got.records[1].high);
}

TEST(Lambada, APerplexityBeyondTheNumbersIsAbsent) {
  const auto passages =
      read_lambada(file("{\"text\": \"one two\"}\n{\"text\": \"a b\"}\n")).value();
  ScriptedSubject subject;
  subject.score_pair = [](const Pair&) { return ScriptedSubject::likelihood(-8000, 1, false); };
  const Evaluation got = evaluate_lambada(subject, passages, "d", {}).value();
  ASSERT_FALSE(got.records.at(1).value);
  EXPECT_EQ(got.records[1].value.error().reason,
            "exp(8000), of the mean log-likelihood, is beyond the numbers");
}

TEST(Lambada, ComparesTheFirstWordOfAnAnswer) {
  const auto passages =
      read_lambada(file("{\"text\": \"one two three\"}\n{\"text\": \"four five\"}\n")).value();
  ScriptedSubject subject;
  subject.answer_prompt = [](const Prompt& prompt) -> Result<std::string> {
    return prompt.text == "four" ? std::string(" \"five,\" he said") : std::string("threes");
  };
  LambadaOptions options;
  options.by_generation = true;
  const Evaluation got = evaluate_lambada(subject, passages, "d", options).value();
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].metric, "acc_generated");
  EXPECT_DOUBLE_EQ(*got.records[0].value, 0.5);
}

TEST(Gsm8k, NumbersAreReadAsTheReferenceReadsThem) {
  using Text = std::optional<std::string>;
  EXPECT_EQ(strict_answer("so 7\n#### 1,234.\n"), Text("1234"));
  EXPECT_EQ(strict_answer("#### -5 and #### 6"), Text("-5"));
  EXPECT_EQ(strict_answer("#### $18"), Text());  // the pattern has no dollar sign
  EXPECT_EQ(strict_answer("####18"), Text());
  EXPECT_EQ(strict_answer("#### x #### 3"), Text("3"));
  EXPECT_EQ(flexible_answer("She makes 9 * 2 = $18 every day."), Text("18"));
  EXPECT_EQ(flexible_answer("It is $1,234.50."), Text("1234.50"));
  EXPECT_EQ(flexible_answer("minus -7"), Text("-7"));
  EXPECT_EQ(flexible_answer("3 or 4"), Text("4"));
  EXPECT_EQ(flexible_answer("none"), Text());
  EXPECT_EQ(flexible_answer("wait..."), Text(".."));  // as the regular expression does
}

std::vector<Problem> problems(int n) {
  std::vector<Problem> all;
  all.reserve(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    all.push_back(
        {.id = fmt::format("{}", i),
         .question = fmt::format("{} {}", i, std::string(static_cast<std::size_t>(i), 'x')),
         .answer = fmt::format("Easy.\n#### {}", i),
         .gold = fmt::format("{}", i)});
  return all;
}

TEST(Gsm8k, SampleIsStratifiedAndShotsAreNotInIt) {
  ScriptedSubject subject;
  subject.at_once = 4;
  subject.answer_prompt = [](const Prompt&) -> Result<std::string> {
    return std::string("#### 3");
  };
  Gsm8kOptions options;
  options.items = 100;
  options.shots = 5;
  const Evaluation got = evaluate_gsm8k(subject, problems(300), {}, "d", options).value();
  const Record& record = got.records.at(0);
  EXPECT_EQ(record.metric, "pass@1");
  EXPECT_EQ(record.n, 100U);
  std::vector<int> tenths(10);
  std::vector<std::string> sampled;
  for (const Item& item : record.items) {
    ++tenths[static_cast<std::size_t>(std::stoi(item.id)) / 30];
    sampled.push_back("Question: " + item.question + "\n");
  }
  for (const int count : tenths) EXPECT_EQ(count, 10);
  // Five examples, then the question; no example is asked.
  const std::string& prompt = subject.asked.at(0).text;
  std::size_t n = 0;
  for (std::size_t at = prompt.find("Question: "); at != std::string::npos;
       at = prompt.find("Question: ", at + 1))
    ++n;
  EXPECT_EQ(n, 6U);
  int asked = 0;
  for (const std::string& question : sampled) asked += prompt.find(question) != std::string::npos;
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(subject.last_options.stop.at(0), "Question:");

  options.items = 298;
  EXPECT_NE(
      evaluate_gsm8k(subject, problems(300), {}, "d", options).error().message.find("2 problems"),
      std::string::npos);
  EXPECT_TRUE(evaluate_gsm8k(subject, problems(300), problems(5), "d", options));
}

TEST(Gsm8k, TooLongIsWrongAndBrokenEnds) {
  ScriptedSubject subject;
  subject.answer_prompt = [](const Prompt& prompt) -> Result<std::string> {
    if (prompt.text.find("xxxxx") != std::string::npos)
      return fail(ErrorCode::kLimit, "the prompt has too many tokens");
    return prompt.text.substr(10, prompt.text.find(' ', 10) - 10);
  };
  const Evaluation got = evaluate_gsm8k(subject, problems(10), {}, "d", {}).value();
  EXPECT_EQ(got.done, 10U);
  EXPECT_DOUBLE_EQ(*got.records.at(0).value, 0.5);
  EXPECT_NE(got.notes.at(0).find("too many tokens"), std::string::npos);

  subject.answer_prompt = [](const Prompt&) -> Result<std::string> {
    return fail(ErrorCode::kIo, "gone");
  };
  const Evaluation none = evaluate_gsm8k(subject, problems(10), {}, "d", {}).value();
  EXPECT_EQ(none.done, 0U);
  EXPECT_EQ(none.stopped->message, "gone");
  subject.chats = false;
  Gsm8kOptions chat;
  chat.chat = true;
  EXPECT_FALSE(evaluate_gsm8k(subject, problems(10), {}, "d", chat));
}

TEST(OpenQuestions, AQuestionThatStandsThereTwiceIsTwoItems) {
  const std::string line = "{\"question_id\": 1, \"category\": \"x\", \"turns\": [\"hi\"]}\n";
  const auto questions = read_questions(file(line + line + line)).value();
  ScriptedSubject subject;
  subject.answer_prompt = [](const Prompt&) -> Result<std::string> { return std::string("so"); };
  const Evaluation got = answer_questions(subject, questions, "d", {}).value();
  const Record& record = got.records.at(0);
  ASSERT_EQ(record.items.size(), 3U);
  EXPECT_NE(record.items[0].id, record.items[1].id);
  EXPECT_NE(record.items[1].id, record.items[2].id);
  const Comparison same = compare(record, record).value();
  EXPECT_EQ(same.n, 3U);
  EXPECT_EQ(same.unpaired, 0U);
}

TEST(OpenQuestions, EveryTurnSeesTheAnswersBefore) {
  const auto questions =
      read_questions(file("{\"question_id\": 81, \"category\": \"writing\", \"turns\": [\"a?\", "
                          "\"b?\"]}\n{\"question_id\": 82, \"category\": \"math\", \"turns\": "
                          "[\"c?\"], \"reference\": [\"C\"]}\n"))
          .value();
  ScriptedSubject subject;
  subject.at_once = 8;
  subject.answer_prompt = [](const Prompt& prompt) -> Result<std::string> {
    return "re: " + prompt.chat.back().content;
  };
  const Evaluation got = answer_questions(subject, questions, "d", {}).value();
  const Record& record = got.records.at(0);
  ASSERT_EQ(record.items.size(), 3U);
  EXPECT_TRUE(record.items[1].id.starts_with("81-"));
  EXPECT_TRUE(record.items[1].id.ends_with(".2"));
  EXPECT_EQ(record.items[1].answer, "re: b?");
  EXPECT_EQ(record.items[2].expected, "C");
  EXPECT_FALSE(record.value);
  const Prompt& second = subject.asked.at(2);
  ASSERT_EQ(second.chat.size(), 3U);
  EXPECT_EQ(second.chat[1].role, "assistant");
  EXPECT_EQ(second.chat[1].content, "re: a?");

  OpenOptions options;
  options.categories = {"math"};
  EXPECT_EQ(answer_questions(subject, questions, "d", options).value().done, 1U);
  options.categories = {"cooking"};
  EXPECT_FALSE(answer_questions(subject, questions, "d", options));
}

TEST(JsonLines, BrokenOnesAreNamed) {
  const auto check = [](const auto& result, std::string_view word) {
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("d.jsonl:"), std::string::npos) << result.error().message;
    EXPECT_NE(result.error().message.find(word), std::string::npos) << result.error().message;
  };
  check(read_lambada(file("{\"text\": \"a b\"}\n{\"text\": \"a")), ":2");
  check(read_lambada(file("{\"text\": \"word\"}")), "last word");
  check(read_lambada(file("{\"txt\": \"a b\"}")), "text");
  check(read_lambada(file("[1]")), "text");
  check(read_gsm8k(file("{\"question\": \"q\", \"answer\": \"18\"}")), "#### NUMBER");
  check(read_gsm8k(file("{\"question\": \"\", \"answer\": \"#### 1\"}")), "empty");
  check(read_gsm8k(file("{\"question\": \"q\"}")), "answer");
  check(read_questions(file("{\"question_id\": 1, \"category\": \"c\", \"turns\": []}")), "turns");
  check(read_questions(file("{\"question_id\": 1, \"category\": \"c\", \"turns\": [3]}")), "turns");
  check(read_questions(file("{\"question_id\": -1, \"category\": \"c\", \"turns\": [\"a\"]}")),
        "question_id");
}

TEST(JsonLines, PublishedFilesAreRead) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const auto read = [&](const char* name) {
    return read_text_file(*data + "/eval/" + name).value();
  };
  EXPECT_EQ(read_lambada(read("lambada_test.jsonl")).value().size(), 5153U);
  const auto problems = read_gsm8k(read("gsm8k.test.jsonl")).value();
  ASSERT_EQ(problems.size(), 1319U);
  EXPECT_EQ(problems[0].gold, "18");
  for (const Problem& problem : problems)  // the reference answers read themselves
    ASSERT_EQ(flexible_answer(problem.answer), problem.gold) << problem.answer;
  const auto questions = read_questions(read("mt_bench.question.jsonl")).value();
  ASSERT_EQ(questions.size(), 80U);
  for (const OpenQuestion& question : questions) ASSERT_EQ(question.turns.size(), 2U);
}

}  // namespace
}  // namespace edgelm::quality

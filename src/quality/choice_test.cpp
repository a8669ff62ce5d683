// Scores of subjects whose answers are known.

#include "quality/choice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "quality/compare.h"
#include "support/scripted_subject.h"

namespace edgelm::quality {
namespace {

using test::ScriptedSubject;

// n questions of four choices; the right one of question i is i % 4.
ChoiceSet questions(std::size_t n, ChoiceFormat format = ChoiceFormat::kArc) {
  ChoiceSet set{.format = format, .task = "made", .data = "made", .protocol = "made", .tasks = {}};
  for (std::size_t i = 0; i < n; ++i) {
    ChoiceTask task;
    task.id = fmt::format("{}", i);
    task.question = fmt::format("question {}", i);
    task.gold = static_cast<std::uint32_t>(i % 4);
    for (const char* word : {"one", "three words long", "two words", "four"}) {
      task.choices.emplace_back(word);
      task.texts.push_back({task.question, std::string(" ") + word});
    }
    set.tasks.push_back(std::move(task));
  }
  return set;
}

const Record& record_of(const Evaluation& evaluation, std::string_view metric) {
  for (const Record& record : evaluation.records)
    if (record.metric == metric) return record;
  ADD_FAILURE() << "no record of " << metric;
  return evaluation.records.front();
}

TEST(Choice, TakesTheLargestSumAndTheLargestPerCharacter) {
  ScriptedSubject subject;
  // By sum always "one" (index 0), per character always "three words long" (index 1).
  subject.score_pair = [](const Pair& pair) -> Result<Likelihood> {
    if (pair.continuation == " one") return ScriptedSubject::likelihood(-6, 1);
    if (pair.continuation == " three words long") return ScriptedSubject::likelihood(-16, 4);
    if (pair.continuation == " two words") return ScriptedSubject::likelihood(-12, 4);
    return ScriptedSubject::likelihood(-8, 1);
  };
  const Evaluation got = evaluate_choices(subject, questions(10), {}).value();
  EXPECT_EQ(got.done, 10U);
  const Record& acc = record_of(got, "acc");
  EXPECT_DOUBLE_EQ(*acc.value, 0.3);  // 0, 4 and 8 of 0..9
  EXPECT_DOUBLE_EQ(*acc.random_level, 0.25);
  EXPECT_DOUBLE_EQ(*record_of(got, "acc_norm").value, 0.3);  // 1, 5 and 9
  EXPECT_EQ(record_of(got, "acc_norm").items[1].value, 1);
  EXPECT_EQ(acc.items[1].value, 0);
  // Sums of the right choices: 3 x -6, 3 x -16, 2 x -12, 2 x -8.
  EXPECT_DOUBLE_EQ(*record_of(got, "gold log-likelihood").value, -10.6);
  const Interval wilson_interval = stats::wilson(3, 10);
  EXPECT_DOUBLE_EQ(acc.low, wilson_interval.low);
  // llama.cpp's score: the mean per token, here "two words" with -3.
  const Evaluation hella =
      evaluate_choices(subject, questions(10, ChoiceFormat::kHellaSwag), {}).value();
  EXPECT_EQ(hella.records[0].metric, "acc_norm_token");
  EXPECT_DOUBLE_EQ(*hella.records[0].value, 0.2);  // 2 and 6
}

TEST(Choice, AlwaysBHasTheShareOfB) {
  ScriptedSubject subject;
  subject.answer_prompt = [](const Prompt&) -> Result<std::string> {
    return std::string("The answer is B.");
  };
  ChoiceOptions options;
  options.by_letter = true;
  const Evaluation got = evaluate_choices(subject, questions(102), options).value();
  ASSERT_EQ(got.records.size(), 1U);
  EXPECT_EQ(got.records[0].metric, "acc_letter");
  EXPECT_DOUBLE_EQ(*got.records[0].value, 26.0 / 102);
  EXPECT_EQ(got.records[0].items[1].answer, "The answer is B.");
  EXPECT_EQ(subject.asked[0].chat.at(0).content,
            "question 0\nA. one\nB. three words long\nC. two words\nD. four\n"
            "Answer with the letter of the right choice alone.");
}

TEST(Choice, McNemarOfKnownSubsets) {
  const ChoiceSet set = questions(100);
  // Right on the questions below `right`, wrong on the others.
  const auto model = [](std::size_t begin, std::size_t end) {
    ScriptedSubject subject;
    subject.answer_prompt = [begin, end](const Prompt& prompt) -> Result<std::string> {
      const std::size_t i = std::stoul(prompt.chat.at(0).content.substr(9));
      const std::size_t answer = i >= begin && i < end ? i % 4 : (i + 1) % 4;
      return std::string(1, static_cast<char>('A' + answer));
    };
    return subject;
  };
  ScriptedSubject a = model(0, 60);
  ScriptedSubject b = model(10, 75);
  ChoiceOptions options;
  options.by_letter = true;
  const auto of_a = evaluate_choices(a, set, options).value().records;
  const auto of_b = evaluate_choices(b, set, options).value().records;
  const Comparison got = compare_all(of_a, of_b).value().at(0);
  EXPECT_EQ(got.n, 100U);
  EXPECT_DOUBLE_EQ(got.a, 0.60);
  EXPECT_DOUBLE_EQ(got.b, 0.65);
  EXPECT_EQ(got.mcnemar.only_a, 10U);                  // 0..9
  EXPECT_EQ(got.mcnemar.only_b, 15U);                  // 60..74
  EXPECT_NEAR(got.mcnemar.exact_p, 0.42435622, 1e-7);  // 2 sum_{k<=10} C(25,k) / 2^25
  EXPECT_NEAR(got.difference.mean, 0.05, 1e-12);
}

TEST(Choice, SampleIsTheSameForEveryModel) {
  ScriptedSubject subject;
  subject.score_pair = [](const Pair&) -> Result<Likelihood> {
    return ScriptedSubject::likelihood(-1);
  };
  ChoiceOptions options;
  options.items = 20;
  options.seed = 7;
  const auto once = evaluate_choices(subject, questions(500), options).value();
  const auto again = evaluate_choices(subject, questions(500), options).value();
  options.seed = 8;
  const auto other = evaluate_choices(subject, questions(500), options).value();
  ASSERT_EQ(once.records[0].n, 20U);
  EXPECT_EQ(once.records[0].data, again.records[0].data);
  EXPECT_NE(once.records[0].data, other.records[0].data);
  EXPECT_NE(once.records[0].protocol.find("seed 7"), std::string::npos);
}

TEST(Choice, WhatWasDoneIsKept) {
  ScriptedSubject subject;
  int calls = 0;
  subject.score_pair = [&calls](const Pair&) -> Result<Likelihood> {
    if (++calls > 4 * 7) return fail(ErrorCode::kIo, "the server went away");
    return ScriptedSubject::likelihood(-1);
  };
  const Evaluation got = evaluate_choices(subject, questions(50), {}).value();
  EXPECT_EQ(got.done, 7U);
  ASSERT_TRUE(got.stopped);
  EXPECT_NE(got.stopped->message.find("the server went away"), std::string::npos);
  EXPECT_EQ(got.records.at(0).n, 7U);
  EXPECT_NE(got.records[0].protocol.find("7 of 50 items"), std::string::npos);

  ChoiceOptions options;
  options.cancelled = [] { return true; };
  const Evaluation none = evaluate_choices(subject, questions(50), options).value();
  EXPECT_TRUE(none.records.empty());
  EXPECT_TRUE(none.stopped);
}

TEST(Choice, SubjectWithoutLogProbabilitiesIsTold) {
  ScriptedSubject subject;
  const auto refused = evaluate_choices(subject, questions(3), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

TEST(Letter, IsFoundWhereAnswersPutIt) {
  const auto check = [](std::string_view answer, std::optional<std::uint32_t> expected) {
    EXPECT_EQ(letter_of(answer, 4), expected) << answer;
  };
  check("B", 1);
  check(" (C)", 2);
  check("**D**", 3);
  check("b", std::nullopt);
  check("Answer: C. Because A and B are wrong", 2);
  check("A and B look right, but the answer is D", 3);
  check("A whale is a mammal, so: B", 1);
  check("Apples", std::nullopt);
  check("E", std::nullopt);
  check("The final answer is $\\boxed{C}$", 2);
  check("", std::nullopt);
  EXPECT_EQ(letter_of("E", 5), 4U);
}

}  // namespace
}  // namespace edgelm::quality

// Each format by a small file of its own, then what broken files are told.

#include "quality/choice_data.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/data.h"

namespace edgelm::quality {
namespace {

TextFile file(const std::string& path, const std::string& text) {
  return check_text(path, text).value();
}

const std::string kHella =
    "Cooking: A man cuts an onion. he\n2\nflies away.\nsings.\nputs it in a pan.\nsleeps.\n";

std::string instruction(const std::string& text, const std::string& answer) {
  return "[{\"instruction\": \"" + text + "\", \"input\": \"\", \"output\": \"\", \"answer\": \"" +
         answer + "\"}]";
}

const std::string kArc = instruction(
    "Please choose the correct answer to the question: What is wet?\\n\\nAnswer1: sand Answer2: "
    "the sea \\n\\nAnswer format: answer1/answer2",
    "answer2");

TEST(HellaSwag, ContextSpaceEnding) {
  const ChoiceSet set = read_hellaswag(file("h.txt", kHella + kHella)).value();
  ASSERT_EQ(set.tasks.size(), 2U);
  const ChoiceTask& task = set.tasks[0];
  EXPECT_EQ(task.gold, 2U);
  EXPECT_EQ(task.texts[2].context, "Cooking: A man cuts an onion. he");
  EXPECT_EQ(task.texts[2].continuation, " puts it in a pan.");
  EXPECT_EQ(task.choices[3], "sleeps.");
  EXPECT_NE(task.id, set.tasks[1].id);
}

// The prompt of lm-evaluation-harness, letter by letter.
TEST(Mmlu, FiveShotsAndTheQuestion) {
  const TextFile dev = file("dev/college_biology_dev.csv",
                            "question,choice0,choice1,choice2,choice3,answer\n"
                            "\"One, \"\"two\"\"?\",a,b,c,\"d\ne\",3\n");
  const TextFile test = file("test/college_biology_test.csv", " Q? ,w,x,y,z,B\r\n");
  const ChoiceSet set = read_mmlu(test, &dev, 1).value();
  ASSERT_EQ(set.tasks.size(), 1U);
  EXPECT_EQ(set.tasks[0].texts[1].context,
            "The following are multiple choice questions (with answers) about college biology.\n\n"
            "One, \"two\"?\nA. a\nB. b\nC. c\nD. d\ne\nAnswer: D\n\n"
            "Q?\nA. w\nB. x\nC. y\nD. z\nAnswer:");
  EXPECT_EQ(set.tasks[0].texts[1].continuation, " B");
  EXPECT_EQ(set.tasks[0].gold, 1U);
  EXPECT_EQ(read_mmlu(test, nullptr, 0).value().tasks[0].texts[0].context.find("One"),
            std::string::npos);
}

TEST(Instructions, AreTakenApart) {
  const ChoiceSet arc = read_instructions(file("a.json", kArc), ChoiceFormat::kArc).value();
  EXPECT_EQ(arc.tasks[0].texts[1].context, "Question: What is wet?\nAnswer:");
  EXPECT_EQ(arc.tasks[0].texts[1].continuation, " the sea ");  // its own space stays
  EXPECT_EQ(arc.tasks[0].gold, 1U);
  const ChoiceSet book = read_instructions(file("a.json", kArc), ChoiceFormat::kOpenBookQa).value();
  EXPECT_EQ(book.tasks[0].texts[0].context, "What is wet?");

  const ChoiceSet blank =
      read_instructions(
          file("w.json", instruction("Please choose the correct answer to fill in the blank to "
                                     "complete the given sentence: Tom fed Max so _ was glad.\\n\\n"
                                     "Option1: Tom Option2: Max Answer format: option1/option2",
                                     "option2")),
          ChoiceFormat::kWinoGrande)
          .value();
  EXPECT_EQ(blank.tasks[0].texts[1].context, "Tom fed Max so Max");
  EXPECT_EQ(blank.tasks[0].texts[0].continuation, " was glad.");

  const ChoiceSet yes =
      read_instructions(
          file("b.json", instruction("Please answer the following question with true or false, "
                                     "question: is ice cold?\\n\\nAnswer format: true/false",
                                     "true")),
          ChoiceFormat::kBoolQ)
          .value();
  EXPECT_EQ(yes.tasks[0].texts[1].context, "Question: is ice cold?\nAnswer:");
  EXPECT_EQ(yes.tasks[0].texts[1].continuation, " yes");
  EXPECT_EQ(yes.tasks[0].gold, 1U);
}

TEST(Choices, FormatIsRecognised) {
  EXPECT_EQ(recognise(file("x", kHella)).value(), ChoiceFormat::kHellaSwag);
  EXPECT_EQ(recognise(file("x.json", kArc)).value(), ChoiceFormat::kArc);
  EXPECT_EQ(recognise(file("OpenBookQA.json", kArc)).value(), ChoiceFormat::kOpenBookQa);
  EXPECT_EQ(recognise(file("x.csv", "q,a,b,c,d,A\n")).value(), ChoiceFormat::kMmlu);
  EXPECT_EQ(format_of("piqa"), ChoiceFormat::kPiqa);
  EXPECT_EQ(format_of("pica"), std::nullopt);
}

struct Broken {
  const char* name;
  ChoiceFormat format;
  const char* path;
  std::string text;
  std::vector<std::string> words;  // of the message
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class BrokenFile : public testing::TestWithParam<Broken> {};

TEST_P(BrokenFile, NamesFilePlaceExpectedAndGot) {
  const Broken& broken = GetParam();
  const auto set = [&]() -> Result<ChoiceSet> {
    EDGELM_TRY_ASSIGN(const TextFile text, check_text(broken.path, broken.text));
    if (broken.format == ChoiceFormat::kHellaSwag) return read_hellaswag(text);
    if (broken.format == ChoiceFormat::kMmlu) return read_mmlu(text, nullptr, 0);
    return read_instructions(text, broken.format);
  }();
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ErrorCode::kFormat);
  for (const std::string& word : broken.words)
    EXPECT_NE(set.error().message.find(word), std::string::npos) << set.error().message;
  EXPECT_EQ(set.error().message.find('\n'), std::string::npos) << "one line";
}

INSTANTIATE_TEST_SUITE_P(
    , BrokenFile,
    testing::ValuesIn(std::vector<Broken>{
        {"cut",
         ChoiceFormat::kHellaSwag,
         "h.txt",
         kHella + "Cooking:\n1\na\n",
         {"h.txt:9", "3 lines", "expected 6"}},
        {"label",
         ChoiceFormat::kHellaSwag,
         "h.txt",
         "A\n4\na\nb\nc\nd\n",
         {"h.txt:2", "0 to 3", "got '4'"}},
        {"ending",
         ChoiceFormat::kHellaSwag,
         "h.txt",
         "A\n1\na\n\nc\nd\n",
         {"h.txt:4", "ending 1", "empty"}},
        {"utf8",
         ChoiceFormat::kHellaSwag,
         "h.txt",
         "A\n1\na\n\xff\nc\nd\n",
         {"h.txt:4", "UTF-8", "0xff"}},
        {"empty", ChoiceFormat::kHellaSwag, "h.txt", " \n\n", {"h.txt", "empty"}},
        {"fields",
         ChoiceFormat::kMmlu,
         "m.csv",
         "q,a,b,c,d,A\nq,a,b,c,A\n",
         {"m.csv:2", "expected 6 fields", "got 5"}},
        {"answer", ChoiceFormat::kMmlu, "m.csv", "q,a,b,c,d,E\n", {"m.csv:1", "A to D", "'E'"}},
        {"quote",
         ChoiceFormat::kMmlu,
         "m.csv",
         "q,a,b,c,d,A\n\"q,a,b,c,d,A\n",
         {"m.csv:2", "closing quote"}},
        {"header", ChoiceFormat::kMmlu, "m.csv", "question,a,b,c,d,answer\n", {"no question"}},
        {"json", ChoiceFormat::kArc, "a.json", kArc.substr(0, 40), {"a.json"}},
        {"list", ChoiceFormat::kArc, "a.json", "{}", {"expected a JSON list", "object"}},
        {"none", ChoiceFormat::kArc, "a.json", "[]", {"an empty one"}},
        {"key", ChoiceFormat::kArc, "a.json", "[{\"instruction\": 3}]", {"entry 1", "instruction"}},
        {"option",
         ChoiceFormat::kArc,
         "a.json",
         instruction("Please choose the correct answer to the question: Q\\n\\nAnswer1: a\\n\\n"
                     "Answer format: answer1/answer2",
                     "answer1"),
         {"a.json: entry 1", "option 2 of 2 is missing"}},
        {"wrong",
         ChoiceFormat::kArc,
         "a.json",
         kArc.substr(0, kArc.rfind("answer2")) + "answer7\"}]",
         {"entry 1", "answer1, answer2", "'answer7'"}},
        {"lead", ChoiceFormat::kPiqa, "a.json", kArc, {"entry 1", "solution", "got 'Please"}},
        {"blank",
         ChoiceFormat::kWinoGrande,
         "w.json",
         instruction("Please choose the correct answer to fill in the blank to complete the given "
                     "sentence: no gap.\\n\\nOption1: a Option2: b Answer format: option1/option2",
                     "option1"),
         {"entry 1", "blank '_'"}},
        {"boolean", ChoiceFormat::kBoolQ, "b.json", kArc, {"entry 1", "true or false"}},
    }),
    [](const auto& test) { return std::string(test.param.name); });

// Every data set of the data folder, whole.
TEST(Choices, PublishedFilesAreRead) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "no data folder (EDGELM_DATA)";
  const auto check = [&](const char* path, ChoiceFormat format, std::size_t n,
                         std::uint32_t shots) {
    const auto set = read_choices(
        {.path = *data + "/eval/" + path, .format = std::nullopt, .shots = shots, .dev = ""});
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(set->format, format) << path;
    EXPECT_EQ(set->tasks.size(), n) << path;
    for (const ChoiceTask& task : set->tasks) {
      ASSERT_LT(task.gold, task.texts.size()) << task.id;
      ASSERT_EQ(task.texts.size(), task.choices.size()) << task.id;
    }
  };
  check("hellaswag_val_full.txt", ChoiceFormat::kHellaSwag, 10042, 0);
  check("multiple-choice/ARC-Challenge.test.json", ChoiceFormat::kArc, 1172, 0);
  check("multiple-choice/ARC-Easy.test.json", ChoiceFormat::kArc, 2376, 0);
  check("multiple-choice/openbookqa.test.json", ChoiceFormat::kOpenBookQa, 500, 0);
  check("multiple-choice/piqa.test.json", ChoiceFormat::kPiqa, 1838, 0);
  check("multiple-choice/winogrande.test.json", ChoiceFormat::kWinoGrande, 1267, 0);
  check("multiple-choice/boolq.test.json", ChoiceFormat::kBoolQ, 3270, 0);
  check("mmlu", ChoiceFormat::kMmlu, 14042, 5);
}

}  // namespace
}  // namespace edgelm::quality

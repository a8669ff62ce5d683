#pragma once
// Multiple-choice questions as files have them, made into the texts that the reference
// implementations score. Prompts and choices follow lm-evaluation-harness 0.4 (lm_eval/tasks: arc,
// hellaswag, mmlu, openbookqa, piqa, winogrande, super_glue/boolq) and llama.cpp's perplexity tool
// (HellaSwag); docs/quality.md has them side by side. Formats are recognised by the file's content
// and, where two data sets share one (ARC and OpenBookQA), its name.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "quality/subject.h"
#include "quality/text_file.h"

namespace edgelm::quality {

enum class ChoiceFormat : std::uint8_t {
  kHellaSwag,  // six lines each: context, number of the right ending, four endings
  kMmlu,       // csv: question, four choices, answer (A-D or 0-3)
  kArc,        // instruction json, as the rest
  kOpenBookQa,
  kPiqa,
  kWinoGrande,
  kBoolQ,
};

std::string_view format_name(ChoiceFormat format);  // "hellaswag", ...
std::optional<ChoiceFormat> format_of(std::string_view name);

struct ChoiceTask {
  std::string id;  // place in the file and a hash of the question
  // What is scored: choice i is texts[i].continuation after texts[i].context.
  std::vector<Pair> texts;
  std::uint32_t gold = 0;
  // What is asked when log-probabilities cannot be had, and what acc_norm divides by.
  std::string question;
  std::vector<std::string> choices;
};

struct ChoiceSet {
  ChoiceFormat format = ChoiceFormat::kHellaSwag;
  std::string task;      // "hellaswag", "arc", ...; the file's own name where it tells more
  std::string data;      // file names
  std::string protocol;  // the prompt in one line
  std::vector<ChoiceTask> tasks;
};

struct ChoiceFiles {
  std::string path;                    // a file; for MMLU also a folder of them
  std::optional<ChoiceFormat> format;  // recognised when absent
  std::uint32_t shots = 0;             // MMLU alone: 0 to 5 examples before each question
  std::string dev;  // MMLU: file or folder of the examples; "": ../dev beside the questions
};

Result<ChoiceSet> read_choices(const ChoiceFiles& files);

// By content and name; kFormat when it is none of them.
Result<ChoiceFormat> recognise(const TextFile& file);

// One reader per kind of file; see hellaswag.cpp, mmlu.cpp, instruction_json.cpp.
Result<ChoiceSet> read_hellaswag(const TextFile& file);
Result<ChoiceSet> read_instructions(const TextFile& file, ChoiceFormat format);
// `examples` are the shots; `subject` of "{subject}_test.csv".
Result<ChoiceSet> read_mmlu(const TextFile& file, const TextFile* examples, std::uint32_t shots);

}  // namespace edgelm::quality

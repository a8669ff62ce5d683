// Which format a file has, and MMLU's folders.

#include "quality/choice_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "os/file.h"

namespace edgelm::quality {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<ChoiceFormat, std::string_view>, 7> kNames = {{
    {ChoiceFormat::kHellaSwag, "hellaswag"},
    {ChoiceFormat::kMmlu, "mmlu"},
    {ChoiceFormat::kArc, "arc"},
    {ChoiceFormat::kOpenBookQa, "openbookqa"},
    {ChoiceFormat::kPiqa, "piqa"},
    {ChoiceFormat::kWinoGrande, "winogrande"},
    {ChoiceFormat::kBoolQ, "boolq"},
}};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// The csv files of a folder, sorted; the path itself when it is a file.
Result<std::vector<std::string>> csv_files(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector<std::string>{path};
  fs::path folder = path;
  if (fs::is_directory(folder / "test", error)) folder /= "test";
  std::vector<std::string> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".csv") files.push_back(at->path().string());
  if (error)
    return fail(ErrorCode::kIo, "{}: cannot list the folder: {}", folder.string(), error.message());
  if (files.empty())
    return fail(ErrorCode::kNotFound, "{}: no .csv file in this folder", folder.string());
  std::sort(files.begin(), files.end());
  return files;
}

// mmlu/test/x_test.csv -> mmlu/dev/x_dev.csv
std::string example_file(const std::string& path, const std::string& dev) {
  std::error_code error;
  if (!dev.empty() && !fs::is_directory(dev, error)) return dev;
  std::string name = fs::path(path).filename().string();
  if (const std::size_t at = name.rfind("_test"); at != std::string::npos)
    name.replace(at, 5, "_dev");
  const fs::path folder = dev.empty() ? fs::path(path).parent_path() / ".." / "dev" : fs::path(dev);
  return (folder / name).lexically_normal().string();
}

Result<ChoiceSet> read_mmlu_files(const ChoiceFiles& files) {
  EDGELM_TRY_ASSIGN(const std::vector<std::string> paths, csv_files(files.path));
  ChoiceSet all;
  for (const std::string& path : paths) {
    EDGELM_TRY_ASSIGN(const TextFile file, read_text_file(path));
    TextFile examples;
    if (files.shots > 0) {
      const std::string example_path = example_file(path, files.dev);
      auto read = read_text_file(example_path);
      if (!read)
        return fail(read.error().code,
                    "{}; examples for {} are needed: name them with --dev, or "
                    "use --shots 0",
                    read.error().message, path);
      examples = std::move(*read);
    }
    EDGELM_TRY_ASSIGN(ChoiceSet set,
                      read_mmlu(file, files.shots > 0 ? &examples : nullptr, files.shots));
    if (all.tasks.empty()) {
      all = std::move(set);
    } else {
      all.tasks.insert(all.tasks.end(), std::make_move_iterator(set.tasks.begin()),
                       std::make_move_iterator(set.tasks.end()));
    }
  }
  if (paths.size() > 1) all.data = fmt::format("{} subjects", paths.size());
  return all;
}

}  // namespace

std::string_view format_name(ChoiceFormat format) {
  for (const auto& [value, name] : kNames)
    if (value == format) return name;
  return "unknown";
}

std::optional<ChoiceFormat> format_of(std::string_view name) {
  for (const auto& [value, its_name] : kNames)
    if (its_name == name) return value;
  return std::nullopt;
}

Result<ChoiceFormat> recognise(const TextFile& file) {
  const std::string_view text = file.text;
  const std::string name = lower(file.name);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin != std::string_view::npos && text[begin] == '[') {
    const auto has = [&](std::string_view words) {
      return text.substr(0, 4096).find(words) != std::string_view::npos;
    };
    if (has("with true or false, question:")) return ChoiceFormat::kBoolQ;
    if (has("correct solution to the question:")) return ChoiceFormat::kPiqa;
    if (has("to fill in the blank to complete")) return ChoiceFormat::kWinoGrande;
    if (has("correct answer to the question:"))
      return name.find("openbook") != std::string::npos || name.find("obqa") != std::string::npos
                 ? ChoiceFormat::kOpenBookQa
                 : ChoiceFormat::kArc;
  }
  if (name.ends_with(".csv")) return ChoiceFormat::kMmlu;
  const std::vector<Line> lines = file.lines();
  if (lines.size() >= 2 && lines[1].text.size() == 1 && lines[1].text[0] >= '0' &&
      lines[1].text[0] <= '9')
    return ChoiceFormat::kHellaSwag;
  return fail(ErrorCode::kFormat,
              "{}: expected HellaSwag's six lines per task, MMLU's csv or a JSON list of "
              "instructions, got {}; name the format with --format",
              file.path, shown(text));
}

Result<ChoiceSet> read_choices(const ChoiceFiles& files) {
  std::error_code error;
  std::optional<ChoiceFormat> format = files.format;
  if (!format && fs::is_directory(files.path, error)) format = ChoiceFormat::kMmlu;
  if (format == ChoiceFormat::kMmlu) return read_mmlu_files(files);
  EDGELM_TRY_ASSIGN(const TextFile file, read_text_file(files.path));
  if (!format) {
    EDGELM_TRY_ASSIGN(format, recognise(file));
    if (format == ChoiceFormat::kMmlu) return read_mmlu_files(files);
  }
  if (files.shots > 0)
    return fail(ErrorCode::kUsage, "{}: examples (--shots) are for MMLU alone, this is {}",
                files.path, format_name(*format));
  if (format == ChoiceFormat::kHellaSwag) return read_hellaswag(file);
  return read_instructions(file, *format);
}

}  // namespace edgelm::quality

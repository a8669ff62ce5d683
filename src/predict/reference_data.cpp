// The rows as they stand in the table.

#include "predict/reference_data.h"

#include <algorithm>
#include <charconv>

#include "predict/csv.h"
#include "predict/embedded.h"
#include "predict/reference_model.h"

namespace edgelm::predict {
namespace {

Result<ReferenceRow> read_row(const CsvTable& table, std::size_t i) {
  ReferenceRow row;
  struct Text {
    std::string_view name;
    std::string* value;
  };
  const Text texts[] = {{"source", &row.source},         {"device", &row.device},
                        {"power_mode", &row.power_mode}, {"engine", &row.engine},
                        {"version", &row.version},       {"model", &row.model},
                        {"quant", &row.quant},           {"scope", &row.scope},
                        {"state", &row.state},           {"note", &row.note}};
  for (const Text& text : texts) {
    EDGELM_TRY_ASSIGN(*text.value, table.text(i, text.name));
  }
  struct Number {
    std::string_view name;
    std::optional<double>* value;
  };
  const Number numbers[] = {{"file_mb", &row.file_mb},
                            {"read_mb", &row.read_mb},
                            {"gpu_mhz", &row.gpu_mhz},
                            {"prompt", &row.prompt},
                            {"decode", &row.decode},
                            {"depth", &row.depth},
                            {"prefill_tps", &row.prefill_tps},
                            {"decode_tps", &row.decode_tps},
                            {"watts", &row.watts},
                            {"mj_per_token", &row.mj_per_token}};
  for (const Number& number : numbers) {
    EDGELM_TRY_ASSIGN(*number.value, table.number(i, number.name));
  }
  EDGELM_TRY_ASSIGN(row.threads, table.count(i, "threads"));
  EDGELM_TRY_ASSIGN(const std::string copy, table.text(i, "embedding_copy"));
  row.embedding_copy = copy == "yes";
  return row;
}

// "qwen3.5-0.8b": 0.8e9. 0 when the name does not say.
double parameters_in_name(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || name.back() != 'b') return 0;
  double billions = 0;
  const char* const end = name.data() + name.size() - 1;
  const auto [stopped, error] = std::from_chars(name.data() + dash + 1, end, billions);
  return error == std::errc() && stopped == end ? billions * 1e9 : 0;
}

}  // namespace

Result<std::vector<ReferenceRow>> parse_rows(std::string_view csv, const std::string& name) {
  EDGELM_TRY_ASSIGN(const CsvTable table, CsvTable::parse(csv, name));
  std::vector<ReferenceRow> rows;
  rows.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    EDGELM_TRY_ASSIGN(ReferenceRow row, read_row(table, i));
    rows.push_back(std::move(row));
  }
  return rows;
}

const std::vector<ReferenceRow>& reference_rows() {
  // Part of the program: a test holds that it parses.
  static const std::vector<ReferenceRow> kRows =
      parse_rows(embedded_speed_csv(), "data/reference/speed.csv")
          .value_or(std::vector<ReferenceRow>());
  return kRows;
}

Result<Model> model_of_row(const ReferenceRow& row) {
  const auto& shapes = reference_shapes();
  const auto shape = std::find_if(shapes.begin(), shapes.end(),
                                  [&](const ReferenceShape& s) { return s.name == row.model; });
  if (shape != shapes.end()) {
    EDGELM_TRY_ASSIGN(Model model, lay_out(*shape, row.quant, row.embedding_copy));
    return model;
  }
  const double parameters = parameters_in_name(row.model);
  if (!row.file_mb || parameters == 0)
    return fail(ErrorCode::kNotFound, "neither a shape nor a size is known of {} {}", row.model,
                row.quant);
  const double bytes = row.read_mb.value_or(*row.file_mb) * 1e6;
  return model_of_figures(row.model, row.quant, static_cast<std::uint64_t>(parameters), bytes,
                          static_cast<std::uint64_t>(*row.file_mb * 1e6));
}

std::string board_of(std::string_view device) {
  constexpr std::string_view kUnit = " GB";
  if (!device.ends_with(kUnit)) return std::string(device);
  device.remove_suffix(kUnit.size());
  const std::size_t space = device.rfind(' ');
  return std::string(space == std::string_view::npos ? device : device.substr(0, space));
}

}  // namespace edgelm::predict

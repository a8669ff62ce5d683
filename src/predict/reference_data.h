#pragma once
// The reference data (data/reference/speed.csv): what others measured on boards, each row with its
// source. Read by the fit, by the validation and by whoever wants to set a result beside it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "predict/model.h"

namespace edgelm::predict {

struct ReferenceRow {
  std::string source;
  std::string device;  // "Raspberry Pi 5 2 GB"
  std::string power_mode;
  std::optional<double> gpu_mhz;  // of that mode
  std::uint32_t threads = 0;      // 0: a GPU, or not told
  std::string engine, version;
  std::string model, quant;
  std::optional<double> file_mb;                // decimal
  std::optional<double> read_mb;                // where the source says what a token reads
  bool embedding_copy = false;                  // a tied table stored twice
  std::optional<double> prompt, decode, depth;  // tokens
  std::optional<double> prefill_tps, decode_tps;
  std::optional<double> watts;  // while decoding
  std::string scope;            // of the watts: "rail", "wall"
  std::optional<double> mj_per_token;
  // "": good for the fit. Otherwise why not: "paging", "evicting", "throttled", "clock" (another
  // clock), "server", "phase" (one cell of a sweep), "repack-off", "ternary", "mixed", "slow-path"
  // (an engine without a good way for an architecture).
  std::string state;
  std::string note;
};

const std::vector<ReferenceRow>& reference_rows();  // part of the program
Result<std::vector<ReferenceRow>> parse_rows(std::string_view csv, const std::string& name);

// The model of a row: its shape laid out in its type, or, without a shape, the size of its file.
// kNotFound when there is neither.
Result<Model> model_of_row(const ReferenceRow& row);

// The board without its memory: "Raspberry Pi 5 2 GB" is "Raspberry Pi 5".
std::string board_of(std::string_view device);

}  // namespace edgelm::predict

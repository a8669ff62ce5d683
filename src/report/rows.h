#pragma once
// What a report says of one measured record beyond the record itself: energy per token, shares of
// the bandwidth, money, scores, prediction. Computed once, used by tables, plots and CSV.

#include <cstdint>
#include <string>
#include <vector>

#include "base/known.h"
#include "econ/prices.h"
#include "econ/score.h"
#include "econ/summary.h"
#include "measure/record.h"
#include "predict/predict.h"
#include "quality/record.h"
#include "report/store.h"

namespace edgelm::report {

struct Options {
  econ::Prices prices = econ::default_prices();
  econ::UsabilityLimits limits = {};
  std::vector<double> alphas = {0.25, 0.5, 0.75};
  std::string version = "";
  std::string made = "";      // RFC 3339, of the report
  bool every_record = false;  // also older ones of the same cell
};

struct Row {
  const measure::Record* record = nullptr;  // not owned; must outlive this
  std::string label;                        // what tells it from the others
  std::string model;                        // without folders
  bool measured = false;                    // its outcome
  // Joules of the device while it worked, per token; net: without what it draws idle.
  Known<double> prefill_joules = not_available("no power sensor");
  Known<double> decode_joules = not_available("no power sensor");
  Known<double> decode_joules_net = not_available("no power sensor");
  Origin energy_origin = Origin::kMeasured;  // modelled where the sensor's watts are
  Known<double> bandwidth_share = not_available("not computed");
  Known<double> quality = not_available("no accuracy of this model is stored");
  std::string quality_task;
  econ::Summary econ;
  Known<predict::Prediction> prediction = not_available("not computed");
};

// `records` must outlive the rows. The newest record of every cell on every device, unless
// options.every_record.
std::vector<Row> rows_of(const Records& records, const Options& options);

// What the predictor would have said of the cell, from what the record keeps (prediction.cpp).
Known<predict::Prediction> predict_record(const measure::Record& record);

// Whether the device throttled; n/a where it has no flag, no clock and no thermal zone to tell.
Known<bool> throttled(const measure::Record& record);

// Median of a series.
Known<double> median_of(const Known<measure::Series>& series);
// What tells `rows` from each other, one text for each: the settings that differ among them, in the
// order model, type, test, threads, KV type, power mode, kernels, engine, device. `threads`: false
// leaves these out. Rows that do not differ in anything are called by their model.
std::vector<std::string> labels(const std::vector<const Row*>& rows, bool threads = true);

// "a/b/model.gguf" -> "model"
std::string short_model(const std::string& model);
// "pp512+tg128 @d1024"
std::string test_name(const measure::Settings& settings);
// Positions in the cache at the end of the cell, of all sequences.
std::uint64_t positions(const measure::Settings& settings);
std::string device_name(const device::Passport& passport);

}  // namespace edgelm::report

#pragma once
// The price list: electricity, carbon, clouds and boards, each with its source and date. Read from
// TOML (data/prices.toml is part of the program); used by plan and report, which print the sources.

#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"

namespace edgelm::econ {

struct CloudModel {
  std::string name;
  std::string provider;
  double input_per_million = 0;  // tokens of the prompt
  double output_per_million = 0;
  std::string source;
  std::string date;  // 2026-07-05
};

struct DevicePrice {
  std::string name;  // as a passport's: "Raspberry Pi 5 8 GB"
  double price = 0;
  Known<double> embodied_kg =
      not_available("not in the price list");  // CO2 equivalent of making it
  std::string source;
  std::string date;
};

struct Prices {
  std::string origin;    // "built in", or the file
  std::string currency;  // of all amounts: "USD"
  double price_per_kwh = 0;
  std::string electricity_source;
  std::string electricity_date;
  double grams_per_kwh = 0;  // CO2 equivalent
  std::string carbon_source;
  std::string carbon_date;
  double lifetime_years = 0;
  double utilisation = 0;  // share of the lifetime in which the device generates tokens, (0, 1]
  std::vector<CloudModel> cloud;
  std::vector<DevicePrice> devices;

  // nullptr when there is none; names compare without regard to case.
  [[nodiscard]] const CloudModel* find_cloud(std::string_view name) const;
  // The entry whose name is `name`, or else the longest that `name` begins with: "Raspberry Pi 5
  // 8 GB, 2.4 GHz" finds "Raspberry Pi 5 8 GB".
  [[nodiscard]] const DevicePrice* find_device(std::string_view name) const;
};

// `name` is for messages, which give line, key, expected and got. Unknown keys are refused: a
// misspelt price must not silently become the default.
Result<Prices> parse_prices(std::string_view text, const std::string& name);
Result<Prices> load_prices(const std::string& path);

// data/prices.toml as it was when the program was built.
const Prices& default_prices();
std::string_view default_prices_text();

}  // namespace edgelm::econ

// The TOML reader of the price list: the one file that sees toml++.

#include "econ/prices.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <initializer_list>

#include "os/file.h"

extern "C" {
extern const char edgelm_data_prices_toml_begin[];
extern const char edgelm_data_prices_toml_end[];
}

namespace edgelm::econ {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1U << 20;
constexpr std::size_t kMaxEntries = 10'000;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// Typed access to one table with messages that carry the line.
class Table {
 public:
  Table(const toml::table& table, const std::string& file, std::string where)
      : table_(table), file_(file), where_(std::move(where)) {}

  Status only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : table_)
      if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
        return fail(ErrorCode::kFormat, "{}:{}: {} has the unknown key '{}'", file_,
                    value.source().begin.line, where_, key.str());
    return {};
  }

  Result<std::string> text(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return missing(key, "a text");
    if (const auto value = node->value_exact<std::string>(); value && !value->empty())
      return *value;
    return wrong(*node, key, "a text");
  }

  // A finite number in [low, high].
  Result<double> number(std::string_view key, double low, double high) const {
    const toml::node* node = table_.get(key);
    const std::string expected = fmt::format("a number from {} to {}", low, high);
    if (node == nullptr) return missing(key, expected);
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (value && std::isfinite(*value) && *value >= low && *value <= high) return *value;
    return wrong(*node, key, expected);
  }

  Result<Table> table(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return missing(key, "a table");
    if (const toml::table* child = node->as_table())
      return Table(*child, file_, fmt::format("[{}]", key));
    return wrong(*node, key, "a table");
  }

  // YYYY-MM-DD, as a text or a date of TOML.
  Result<std::string> date(std::string_view key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return missing(key, "a date");
    if (const auto value = node->value_exact<toml::date>())
      return fmt::format("{:04}-{:02}-{:02}", value->year, value->month, value->day);
    const auto text = node->value_exact<std::string>();
    const auto shaped = [](std::string_view t) {
      constexpr std::string_view kShape = "0000-00-00";
      return t.size() == kShape.size() &&
             std::equal(t.begin(), t.end(), kShape.begin(), [](char c, char shape) {
               return shape == '-' ? c == '-' : c >= '0' && c <= '9';
             });
    };
    if (text && shaped(*text)) return *text;
    return wrong(*node, key, "a date like \"2026-07-05\"");
  }

  bool has(std::string_view key) const { return table_.get(key) != nullptr; }

  // The tables of [[key]]; none when it is absent.
  Result<std::vector<Table>> tables(std::string_view key) const {
    std::vector<Table> result;
    const toml::node* node = table_.get(key);
    if (node == nullptr) return result;
    const toml::array* array = node->as_array();
    if (array == nullptr) return wrong(*node, key, "tables: [[...]]");
    if (array->size() > kMaxEntries)
      return fail(ErrorCode::kLimit, "{}: {} entries of [[{}]], at most {} are read", file_,
                  array->size(), key, kMaxEntries);
    result.reserve(array->size());
    for (const toml::node& entry : *array) {
      const toml::table* child = entry.as_table();
      if (child == nullptr) return wrong(entry, key, "tables: [[...]]");
      result.emplace_back(*child, file_, fmt::format("[[{}]]", key));
    }
    return result;
  }

 private:
  tl::unexpected<Error> missing(std::string_view key, std::string_view expected) const {
    return fail(ErrorCode::kFormat, "{}:{}: {} lacks '{}', expected {}", file_,
                table_.source().begin.line, where_, key, expected);
  }
  tl::unexpected<Error> wrong(const toml::node& node, std::string_view key,
                              std::string_view expected) const {
    return fail(ErrorCode::kFormat, "{}:{}: {}: '{}' is not {}", file_, node.source().begin.line,
                where_, key, expected);
  }

  const toml::table& table_;
  const std::string& file_;
  std::string where_;
};

constexpr double kMostMoney = 1e9;

Result<CloudModel> read_cloud(const Table& table) {
  EDGELM_TRY(table.only(
      {"name", "provider", "input_per_million", "output_per_million", "source", "date"}));
  CloudModel model;
  EDGELM_TRY_ASSIGN(model.name, table.text("name"));
  EDGELM_TRY_ASSIGN(model.provider, table.text("provider"));
  EDGELM_TRY_ASSIGN(model.input_per_million, table.number("input_per_million", 0, kMostMoney));
  EDGELM_TRY_ASSIGN(model.output_per_million, table.number("output_per_million", 0, kMostMoney));
  EDGELM_TRY_ASSIGN(model.source, table.text("source"));
  EDGELM_TRY_ASSIGN(model.date, table.date("date"));
  return model;
}

Result<DevicePrice> read_device(const Table& table) {
  EDGELM_TRY(table.only({"name", "price", "embodied_kg", "source", "date"}));
  DevicePrice device;
  EDGELM_TRY_ASSIGN(device.name, table.text("name"));
  EDGELM_TRY_ASSIGN(device.price, table.number("price", 0, kMostMoney));
  if (table.has("embodied_kg")) {
    EDGELM_TRY_ASSIGN(const double kg, table.number("embodied_kg", 0, 1e9));
    device.embodied_kg = kg;
  }
  EDGELM_TRY_ASSIGN(device.source, table.text("source"));
  EDGELM_TRY_ASSIGN(device.date, table.date("date"));
  return device;
}

Result<Prices> read_prices(const Table& root, const std::string& name) {
  EDGELM_TRY(root.only({"currency", "electricity", "carbon", "amortisation", "cloud", "device"}));
  Prices prices;
  prices.origin = name;
  EDGELM_TRY_ASSIGN(prices.currency, root.text("currency"));
  EDGELM_TRY_ASSIGN(const Table electricity, root.table("electricity"));
  EDGELM_TRY(electricity.only({"price_per_kwh", "source", "date"}));
  EDGELM_TRY_ASSIGN(prices.price_per_kwh, electricity.number("price_per_kwh", 0, kMostMoney));
  EDGELM_TRY_ASSIGN(prices.electricity_source, electricity.text("source"));
  EDGELM_TRY_ASSIGN(prices.electricity_date, electricity.date("date"));
  EDGELM_TRY_ASSIGN(const Table carbon, root.table("carbon"));
  EDGELM_TRY(carbon.only({"grams_per_kwh", "source", "date"}));
  EDGELM_TRY_ASSIGN(prices.grams_per_kwh, carbon.number("grams_per_kwh", 0, 1e5));
  EDGELM_TRY_ASSIGN(prices.carbon_source, carbon.text("source"));
  EDGELM_TRY_ASSIGN(prices.carbon_date, carbon.date("date"));
  EDGELM_TRY_ASSIGN(const Table amortisation, root.table("amortisation"));
  EDGELM_TRY(amortisation.only({"lifetime_years", "utilisation"}));
  EDGELM_TRY_ASSIGN(prices.lifetime_years, amortisation.number("lifetime_years", 1e-3, 100));
  EDGELM_TRY_ASSIGN(prices.utilisation, amortisation.number("utilisation", 1e-6, 1));
  EDGELM_TRY_ASSIGN(const std::vector<Table> clouds, root.tables("cloud"));
  prices.cloud.reserve(clouds.size());
  for (const Table& table : clouds) {
    EDGELM_TRY_ASSIGN(CloudModel model, read_cloud(table));
    if (prices.find_cloud(model.name) != nullptr)
      return fail(ErrorCode::kFormat, "{}: the cloud model '{}' stands there twice", name,
                  model.name);
    prices.cloud.push_back(std::move(model));
  }
  EDGELM_TRY_ASSIGN(const std::vector<Table> devices, root.tables("device"));
  prices.devices.reserve(devices.size());
  for (const Table& table : devices) {
    EDGELM_TRY_ASSIGN(DevicePrice device, read_device(table));
    prices.devices.push_back(std::move(device));
  }
  return prices;
}

}  // namespace

const CloudModel* Prices::find_cloud(std::string_view name) const {
  const std::string wanted = lower(name);
  for (const CloudModel& model : cloud)
    if (lower(model.name) == wanted) return &model;
  return nullptr;
}

const DevicePrice* Prices::find_device(std::string_view name) const {
  const std::string wanted = lower(name);
  const DevicePrice* best = nullptr;
  for (const DevicePrice& device : devices)
    if (wanted.starts_with(lower(device.name)) &&
        (best == nullptr || device.name.size() > best->name.size()))
      best = &device;
  return best;
}

Result<Prices> parse_prices(std::string_view text, const std::string& name) {
  const toml::parse_result parsed = toml::parse(text, name);
  if (!parsed)
    return fail(ErrorCode::kFormat, "{}:{}:{}: {}", name, parsed.error().source().begin.line,
                parsed.error().source().begin.column, parsed.error().description());
  return read_prices(Table(parsed.table(), name, "the file"), name);
}

Result<Prices> load_prices(const std::string& path) {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kMaxFileBytes));
  return parse_prices(text, path);
}

std::string_view default_prices_text() {
  return {edgelm_data_prices_toml_begin,
          static_cast<std::size_t>(edgelm_data_prices_toml_end - edgelm_data_prices_toml_begin)};
}

const Prices& default_prices() {
  // Part of the program: a test holds that it parses.
  static const Prices kPrices = parse_prices(default_prices_text(), "built in").value_or(Prices{});
  return kPrices;
}

}  // namespace edgelm::econ

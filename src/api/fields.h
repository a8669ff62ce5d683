#pragma once
// Strict reading of a JSON object, field by field, into plain data: what passports, records and
// stores are read back with. The first thing wrong is kept and names its place
// ("pi5.json: cpu.clusters[1].max_hz: expected a number, got \"fast\""); what is read after it does
// nothing, so that a reader is a list of fields and one done() at its end. A key that nobody asked
// for is refused by done(): a misspelt field must not become a default.
//
//   api::Fields fields(json, "pi5.json");
//   fields.need("name", passport.name);
//   fields.take("kernel", passport.kernel);              // stays as it was when absent or null
//   fields.object("memory", [&](Fields& f) { f.take("total_bytes", memory.total_bytes); });
//   fields.array("thermal", passport.thermal, [](Fields& f, ThermalZone& zone) { ... });
//   EDGELM_TRY(fields.done());
//
// A Known<T> is written as its value or as {"absent": "reason"} (known()).

#include <concepts>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/json.h"
#include "base/known.h"

namespace edgelm::api {

// The value, or {"absent": "reason"}. Numbers that are not finite are absent.
template <class T>
Json known(const Known<T>& value) {
  if (!value) return Json::object({{"absent", value.error().reason}});
  if constexpr (std::is_floating_point_v<T>) {
    if (!(*value - *value == 0)) return Json::object({{"absent", "not a finite number"}});
  }
  return Json(*value);
}

class Fields {
 public:
  static constexpr std::size_t kMaxItems = 1U << 20;  // of one array

  // `object` is not owned; must outlive this.
  Fields(const Json& object, std::string where);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // T: std::string, bool, double, unsigned and signed whole numbers (checked to fit), Known of
  // these, vectors of these.
  template <class T>
  void take(std::string_view key, T& out) {
    if (const Json* value = field(key)) read(*value, place(key), out);
  }
  template <class T>
  void need(std::string_view key, T& out) {
    if (!missing(key)) take(key, out);
  }

  // One of `names`; `out` becomes the enumerator of that index.
  template <class Enum>
    requires std::is_enum_v<Enum>
  void choice(std::string_view key, std::span<const std::string_view> names, Enum& out) {
    if (const Json* value = field(key)) {
      const std::size_t index = index_of(*value, place(key), names);
      if (!failed()) out = static_cast<Enum>(index);
    }
  }

  template <class Read>  // void(Fields&)
  void object(std::string_view key, Read&& read_object) {
    if (const Json* value = field(key)) nested(*value, place(key), read_object);
  }

  template <class T, class Read>  // void(Fields&, T&)
  void array(std::string_view key, std::vector<T>& out, Read&& read_item) {
    const Json* value = field(key);
    if (value == nullptr || !check_array(*value, place(key))) return;
    out.clear();
    out.reserve(value->size());
    for (std::size_t i = 0; i < value->size() && !failed(); ++i) {
      T item;
      nested((*value)[i], place_of(key, i), [&](Fields& fields) { read_item(fields, item); });
      out.push_back(std::move(item));
    }
  }

  // Something beyond types is wrong with the field.
  void refuse(std::string_view key, const std::string& problem) { wrong(place(key), problem); }

  [[nodiscard]] bool failed() const { return !error_.empty(); }
  // Once, at the end.
  [[nodiscard]] Status done();

 private:
  const Json* field(std::string_view key);
  bool missing(std::string_view key);
  [[nodiscard]] std::string place(std::string_view key) const;
  [[nodiscard]] std::string place_of(std::string_view key, std::size_t index) const;
  void wrong(const std::string& place, const std::string& problem);
  void expected(const std::string& place, std::string_view what, const Json& got);
  bool check_array(const Json& value, const std::string& place);
  std::size_t index_of(const Json& value, const std::string& place,
                       std::span<const std::string_view> names);

  template <class Read>
  void nested(const Json& value, const std::string& place, Read&& read_object) {
    Fields fields(value, place);
    if (!fields.failed()) read_object(fields);
    if (const Status status = fields.done(); !status && !failed()) error_ = status.error().message;
  }

  void read(const Json& value, const std::string& place, std::string& out);
  void read(const Json& value, const std::string& place, bool& out);
  void read(const Json& value, const std::string& place, double& out);

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void read(const Json& value, const std::string& place, T& out) {
    if (value.is_number_unsigned() && std::in_range<T>(value.get<std::uint64_t>())) {
      out = static_cast<T>(value.get<std::uint64_t>());
    } else if (value.is_number_integer() && !value.is_number_unsigned() &&
               std::in_range<T>(value.get<std::int64_t>())) {
      out = static_cast<T>(value.get<std::int64_t>());
    } else {
      expected(place, std::is_signed_v<T> ? "a whole number" : "a whole number of 0 or more",
               value);
    }
  }

  template <class T>
  void read(const Json& value, const std::string& place, Known<T>& out) {
    if (value.is_object()) {
      std::string reason;
      nested(value, place, [&](Fields& fields) { fields.need("absent", reason); });
      out = not_available(std::move(reason));
      return;
    }
    T known_value{};
    read(value, place, known_value);
    out = std::move(known_value);
  }

  template <class T>
  void read(const Json& value, const std::string& place, std::vector<T>& out) {
    if (!check_array(value, place)) return;
    out.clear();
    out.reserve(value.size());
    for (std::size_t i = 0; i < value.size() && !failed(); ++i) {
      T item{};
      read(value[i], place + "[" + std::to_string(i) + "]", item);
      out.push_back(std::move(item));
    }
  }

  const Json& object_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
  std::string error_;
};

}  // namespace edgelm::api

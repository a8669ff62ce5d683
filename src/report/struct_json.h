#pragma once
// Plain structs <-> JSON from one list of fields for both directions, so that what is written is
// what is read: the mechanism of record_json.cpp, and of nobody else (parts that others write by
// hand, like passports, join through JsonOf). A struct takes part with
//   template <class Fields> void fields(Fields& f, Series& s) { f("median", s.median); ... }
// in its own namespace. A key that is missing, unknown or of another type is refused with its path.
//
// How values look: Known is the value, or {"absent": reason}; NaN is null and infinities are "inf"
// and "-inf"; an enum is the word that enum_words() gives; a struct for which `as_row` is true is
// an array of its values in the order of its fields.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "api/json.h"
#include "base/known.h"
#include "base/result.h"

namespace edgelm::report {

template <class T>
inline constexpr bool as_row = false;  // specialised beside a struct's fields()

// Specialised for types that have functions of their own:
//   static api::Json write(const T&);  static Result<T> read(const api::Json&, const std::string&);
template <class T>
struct JsonOf;
template <class T>
concept HasJsonOf = requires(const T& value) { JsonOf<T>::write(value); };

class FieldWriter {
 public:
  template <class T>
  static api::Json write(const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_enum_v<T>) {
      const auto words = enum_words(T{});
      return words[std::min(static_cast<std::size_t>(value), words.size() - 1)];
    } else if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(value)) return nullptr;
      if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
      return value;
    } else if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else {
      return write_compound(value);
    }
  }

  template <class T>
  void operator()(std::string_view key, const T& value) {
    if (row_) {
      json_.push_back(write(value));
    } else {
      json_.get_ptr<api::Json::object_t*>()->emplace_back(std::string(key), write(value));
    }
  }
  // A field that older texts do not have.
  template <class T>
  void added(std::string_view key, const T& value) {
    (*this)(key, value);
  }

 private:
  explicit FieldWriter(bool row)
      : json_(row ? api::Json::array() : api::Json::object()), row_(row) {}

  template <class T>
  static api::Json write_compound(const Known<T>& value) {
    if (value) return write(*value);
    return api::Json{{"absent", value.error().reason}};
  }
  template <class T>
  static api::Json write_compound(const std::vector<T>& values) {
    api::Json list = api::Json::array();
    for (const T& value : values) list.push_back(write(value));
    return list;
  }
  template <class T>
  static api::Json write_compound(const T& value) {
    if constexpr (HasJsonOf<T>) {
      return JsonOf<T>::write(value);
    } else {
      FieldWriter writer(as_row<T>);
      // fields() serves reading as well and so takes no const; this class only looks.
      fields(writer, const_cast<T&>(value));
      return std::move(writer.json_);
    }
  }

  api::Json json_;
  bool row_;
};

class FieldReader {
 public:
  // `value` as a T, all of it or an error. `name` is what messages call it.
  template <class T>
  static Result<T> read(const api::Json& json, const std::string& name) {
    T value{};
    Status status;
    read_value(json, value, name, status);
    if (!status) return fail(std::move(status).error());
    return value;
  }

  template <class T>
  void operator()(std::string_view key, T& value) {
    take(key, value, true);
  }
  template <class T>
  void added(std::string_view key, T& value) {
    take(key, value, false);
  }
  // For conditions between fields.
  void require(bool condition, std::string_view what) {
    if (!condition && status_) status_ = fail(ErrorCode::kFormat, "{}: {}", path_, what);
  }

 private:
  FieldReader(const api::Json& json, std::string path, bool row, Status& status)
      : json_(json), path_(std::move(path)), row_(row), status_(status) {}

  static void expected(std::string_view what, const api::Json& got, const std::string& path,
                       Status& status);

  template <class T>
  static void read_value(const api::Json& json, T& value, const std::string& path, Status& status) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (!json.is_string()) return expected("a string", json, path, status);
      value = json.get<std::string>();
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) return expected("true or false", json, path, status);
      value = json.get<bool>();
    } else if constexpr (std::is_enum_v<T>) {
      read_word(json, value, path, status);
    } else if constexpr (std::is_floating_point_v<T>) {
      read_double(json, value, path, status);
    } else if constexpr (std::is_arithmetic_v<T>) {
      read_integer(json, value, path, status);
    } else {
      read_compound(json, value, path, status);
    }
  }

  static void read_double(const api::Json& json, double& value, const std::string& path,
                          Status& status);

  template <class T>
  static void read_integer(const api::Json& json, T& value, const std::string& path,
                           Status& status) {
    using Limits = std::numeric_limits<T>;
    if (json.is_number_unsigned()) {
      const auto number = json.get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(Limits::max())) {
        value = static_cast<T>(number);
        return;
      }
    } else if (json.is_number_integer()) {
      const auto number = json.get<std::int64_t>();
      if (Limits::is_signed && number >= static_cast<std::int64_t>(Limits::min())) {
        value = static_cast<T>(number);
        return;
      }
    }
    expected(
        Limits::is_signed ? "a whole number in range" : "a whole number of 0 or more, in range",
        json, path, status);
  }

  template <class T>
  static void read_word(const api::Json& json, T& value, const std::string& path, Status& status) {
    const auto words = enum_words(T{});
    if (json.is_string()) {
      const auto& word = json.get_ref<const std::string&>();
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] != word) continue;
        value = static_cast<T>(i);
        return;
      }
    }
    std::string list;
    for (const std::string_view word : words) list.append(list.empty() ? "" : ", ").append(word);
    expected("one of " + list, json, path, status);
  }

  template <class T>
  static void read_compound(const api::Json& json, Known<T>& value, const std::string& path,
                            Status& status) {
    if (json.is_object() && json.size() == 1 && json.begin().key() == "absent") {
      std::string reason;
      read_value(*json.begin(), reason, path, status);
      value = not_available(std::move(reason));
      return;
    }
    T present{};
    read_value(json, present, path, status);
    value = std::move(present);
  }
  template <class T>
  static void read_compound(const api::Json& json, std::vector<T>& values, const std::string& path,
                            Status& status) {
    if (!json.is_array()) return expected("a list", json, path, status);
    values.clear();
    values.reserve(json.size());
    for (const api::Json& element : json) {
      // The path of an element is spelled out only when something is wrong with it.
      T value{};
      Status one;
      read_value(element, value, path, one);
      if (!one) {
        status = fail(one.error().code, "{} (element {})", one.error().message, values.size());
        return;
      }
      values.push_back(std::move(value));
    }
  }
  template <class T>
  static void read_compound(const api::Json& json, T& value, const std::string& path,
                            Status& status) {
    if constexpr (HasJsonOf<T>) {
      Result<T> read = JsonOf<T>::read(json, path);
      if (!read) {
        status = fail(std::move(read).error());
      } else {
        value = std::move(*read);
      }
    } else {
      if (as_row<T> ? !json.is_array() : !json.is_object())
        return expected(as_row<T> ? "a list" : "an object", json, path, status);
      FieldReader reader(json, path, as_row<T>, status);
      fields(reader, value);
      if (status) reader.refuse_the_rest();
    }
  }

  // The element for `key`, or nullptr (and an error when it is needed).
  const api::Json* element(std::string_view key, bool needed);
  void refuse_the_rest();

  template <class T>
  void take(std::string_view key, T& value, bool needed) {
    if (!status_) return;
    const api::Json* found = element(key, needed);
    if (found == nullptr) return;
    std::string path = path_;
    path.append(": ").append(key);
    read_value(*found, value, path, status_);
  }

  const api::Json& json_;
  std::string path_;
  bool row_;
  Status& status_;
  std::size_t next_ = 0;  // in a row
  std::vector<std::string> seen_;
};

}  // namespace edgelm::report

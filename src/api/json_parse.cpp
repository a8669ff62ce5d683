// Reading JSON from outside: nlohmann-json's parser reports events, a builder with limits makes the
// value of them, and nothing throws past this file.

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "api/json.h"

namespace edgelm::api {
namespace {

// Builds a value from events; refuses what the grammar allows and a reader should not.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::uint32_t max_depth) : max_depth_(max_depth) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!std::isfinite(value)) return refuse("number " + text + " is beyond double's range");
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return refuse("binary value"); }
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    if (!levels_.back().keys.insert(value).second) return refuse("key '" + value + "' twice");
    levels_.back().key = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ...": the part for people.
    const std::string what = error.what();
    const std::size_t colon = what.find("] ");
    reason_ = colon == std::string::npos ? what : what.substr(colon + 2);
    position_ = position;
    return false;
  }

  [[nodiscard]] const std::string& reason() const { return reason_; }
  Json take() { return std::move(root_); }

 private:
  struct Level {
    Json value;
    std::string key;
    std::set<std::string> keys;
  };

  bool refuse(std::string reason) {
    reason_ = std::move(reason);
    return false;
  }
  bool open(Json container) {
    if (levels_.size() >= max_depth_)
      return refuse("more than " + std::to_string(max_depth_) + " levels");
    levels_.push_back({std::move(container), {}, {}});
    return true;
  }
  bool close() {
    Json done = std::move(levels_.back().value);
    levels_.pop_back();
    return put(std::move(done));
  }
  bool put(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (levels_.back().value.is_array()) {
      levels_.back().value.push_back(std::move(value));
    } else {
      // Keys are known to be new: appending does not search.
      auto* object = levels_.back().value.get_ptr<Json::object_t*>();
      object->emplace_back(std::move(levels_.back().key), std::move(value));
    }
    return true;
  }

  std::uint32_t max_depth_;
  std::vector<Level> levels_;
  Json root_;
  std::string reason_;
  std::size_t position_ = 0;
};

std::string shown(const Json* value) {
  if (value == nullptr) return "nothing";
  std::string text = dump(*value, -1);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

Result<Json> parse(std::string_view text, std::string_view name, std::uint32_t max_depth) {
  Builder builder(max_depth);
  try {
    if (!Json::sax_parse(text.begin(), text.end(), &builder))
      return fail(ErrorCode::kFormat, "{}: not valid JSON: {}", name, builder.reason());
  } catch (const nlohmann::detail::exception& error) {
    return fail(ErrorCode::kFormat, "{}: not valid JSON: {}", name, error.what());
  }
  return builder.take();
}

const Json* find(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(std::string(key));
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

Result<std::string> string_at(const Json& object, std::string_view key, std::string_view name) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_string())
    return fail(ErrorCode::kFormat, "{}: '{}': expected a string, got {}", name, key, shown(value));
  return value->get<std::string>();
}

Result<double> number_at(const Json& object, std::string_view key, std::string_view name) {
  const Json* value = find(object, key);
  if (value == nullptr || !value->is_number())
    return fail(ErrorCode::kFormat, "{}: '{}': expected a number, got {}", name, key, shown(value));
  return value->get<double>();
}

Result<std::uint64_t> unsigned_at(const Json& object, std::string_view key, std::string_view name) {
  const Json* value = find(object, key);
  if (value != nullptr && value->is_number_unsigned()) return value->get<std::uint64_t>();
  if (value != nullptr && value->is_number_float()) {
    const auto number = value->get<double>();
    if (number >= 0 && number < 0x1p63 && number == std::floor(number))
      return static_cast<std::uint64_t>(number);
  }
  return fail(ErrorCode::kFormat, "{}: '{}': expected a whole number of 0 or more, got {}", name,
              key, shown(value));
}

}  // namespace edgelm::api

// The parts of the field reader that do not depend on a type.

#include "report/struct_json.h"

#include <algorithm>

namespace edgelm::report {

void FieldReader::expected(std::string_view what, const api::Json& got, const std::string& path,
                           Status& status) {
  std::string text = api::dump(got, -1);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  status = fail(ErrorCode::kFormat, "{}: expected {}, got {}", path, what, text);
}

void FieldReader::read_double(const api::Json& json, double& value, const std::string& path,
                              Status& status) {
  if (json.is_number()) {
    value = json.get<double>();
  } else if (json.is_null()) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (json == "inf" || json == "-inf") {
    const double infinity = std::numeric_limits<double>::infinity();
    value = json == "inf" ? infinity : -infinity;
  } else {
    expected("a number", json, path, status);
  }
}

const api::Json* FieldReader::element(std::string_view key, bool needed) {
  if (row_) {
    if (next_ < json_.size()) return &json_[next_++];
    if (needed)
      status_ =
          fail(ErrorCode::kFormat, "{}: {} values, '{}' is missing", path_, json_.size(), key);
    return nullptr;
  }
  seen_.emplace_back(key);
  const auto at = json_.find(seen_.back());
  if (at != json_.end()) return &*at;
  if (needed) status_ = fail(ErrorCode::kFormat, "{}: '{}' is missing", path_, key);
  return nullptr;
}

void FieldReader::refuse_the_rest() {
  if (row_) {
    if (next_ < json_.size())
      status_ = fail(ErrorCode::kFormat, "{}: {} values, expected {}", path_, json_.size(), next_);
    return;
  }
  for (const auto& item : json_.items()) {
    if (std::find(seen_.begin(), seen_.end(), item.key()) != seen_.end()) continue;
    status_ = fail(ErrorCode::kFormat, "{}: unknown field '{}'; was it written by a newer edgelm?",
                   path_, item.key());
    return;
  }
}

}  // namespace edgelm::report

// Fields by their own names; what is not available is null with a reason beside it.

#include "quality/record_json.h"

#include <fmt/format.h>

#include <cmath>

#include "os/file.h"

namespace edgelm::quality {
namespace {

using api::Json;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;

void put(Json& json, const char* key, const Known<double>& value) {
  if (value) {
    json[key] = *value;
  } else {
    json[key] = nullptr;
    json[fmt::format("{}_reason", key)] = value.error().reason;
  }
}

Status get(const Json& json, const char* key, std::string_view name, Known<double>& out) {
  if (api::find(json, key) == nullptr) {
    const Json* reason = api::find(json, fmt::format("{}_reason", key));
    out = not_available(reason != nullptr && reason->is_string() ? reason->get<std::string>()
                                                                 : "not in the file");
    return {};
  }
  EDGELM_TRY_ASSIGN(out, api::number_at(json, key, name));
  return {};
}

Status get(const Json& json, const char* key, std::string_view name, std::string& out) {
  if (api::find(json, key) == nullptr) return {};
  EDGELM_TRY_ASSIGN(out, api::string_at(json, key, name));
  return {};
}

Status get(const Json& json, const char* key, std::string_view name, double& out) {
  if (api::find(json, key) == nullptr) return {};
  EDGELM_TRY_ASSIGN(out, api::number_at(json, key, name));
  return {};
}

Status get(const Json& json, const char* key, std::string_view name, std::uint64_t& out) {
  if (api::find(json, key) == nullptr) return {};
  EDGELM_TRY_ASSIGN(out, api::unsigned_at(json, key, name));
  return {};
}

// The text fields of a record, once for both directions.
template <class R, class F>
Status each_text(R& record, F&& visit) {
  EDGELM_TRY(visit("id", record.id));
  EDGELM_TRY(visit("run_id", record.run_id));
  EDGELM_TRY(visit("time", record.time));
  EDGELM_TRY(visit("version", record.version));
  EDGELM_TRY(visit("model", record.model));
  EDGELM_TRY(visit("model_hash", record.model_hash));
  EDGELM_TRY(visit("type", record.type));
  EDGELM_TRY(visit("engine", record.engine));
  EDGELM_TRY(visit("device_fingerprint", record.device_fingerprint));
  EDGELM_TRY(visit("task", record.task));
  EDGELM_TRY(visit("data", record.data));
  EDGELM_TRY(visit("metric", record.metric));
  return visit("protocol", record.protocol);
}

}  // namespace

Json to_json(const Record& record) {
  Json json;
  const Status done = each_text(record, [&](const char* key, const std::string& value) -> Status {
    json[key] = value;
    return {};
  });
  static_cast<void>(done);  // writing cannot fail
  json["file_bytes"] = record.file_bytes;
  put(json, "value", record.value);
  json["standard_error"] = record.standard_error;
  json["low"] = record.low;
  json["high"] = record.high;
  put(json, "random_level", record.random_level);
  json["n"] = record.n;
  Json& items = json["items"] = Json::array();
  for (const Item& item : record.items) {
    Json one = {{"id", item.id}, {"value", item.value}};
    if (!item.question.empty()) one["question"] = item.question;
    if (!item.answer.empty()) one["answer"] = item.answer;
    if (!item.expected.empty()) one["expected"] = item.expected;
    items.push_back(std::move(one));
  }
  return json;
}

Result<Record> record_from_json(const Json& json, std::string_view name) {
  if (!json.is_object())
    return fail(ErrorCode::kFormat, "{}: expected a record, got {}", name, json.type_name());
  Record record;
  EDGELM_TRY(each_text(
      record, [&](const char* key, std::string& value) { return get(json, key, name, value); }));
  if (record.task.empty() || record.metric.empty())
    return fail(ErrorCode::kFormat, "{}: expected an evaluation's record with 'task' and 'metric'",
                name);
  EDGELM_TRY(get(json, "file_bytes", name, record.file_bytes));
  EDGELM_TRY(get(json, "value", name, record.value));
  EDGELM_TRY(get(json, "standard_error", name, record.standard_error));
  EDGELM_TRY(get(json, "low", name, record.low));
  EDGELM_TRY(get(json, "high", name, record.high));
  EDGELM_TRY(get(json, "random_level", name, record.random_level));
  EDGELM_TRY(get(json, "n", name, record.n));
  const Json* items = api::find(json, "items");
  if (items == nullptr) return record;
  if (!items->is_array())
    return fail(ErrorCode::kFormat, "{}: items: expected a list, got {}", name, items->type_name());
  record.items.reserve(items->size());
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string place = fmt::format("{}: item {}", name, i + 1);
    const Json& one = (*items)[i];
    Item item;
    EDGELM_TRY_ASSIGN(item.id, api::string_at(one, "id", place));
    EDGELM_TRY_ASSIGN(item.value, api::number_at(one, "value", place));
    EDGELM_TRY(get(one, "question", place, item.question));
    EDGELM_TRY(get(one, "answer", place, item.answer));
    EDGELM_TRY(get(one, "expected", place, item.expected));
    record.items.push_back(std::move(item));
  }
  return record;
}

Result<std::vector<Record>> parse_records(std::string_view text, std::string_view name) {
  EDGELM_TRY_ASSIGN(const Json json, api::parse(text, name));
  const Json* list = json.is_array() ? &json : api::find(json, "records");
  std::vector<Record> records;
  if (list == nullptr) {
    EDGELM_TRY_ASSIGN(Record record, record_from_json(json, name));
    records.push_back(std::move(record));
    return records;
  }
  if (!list->is_array() || list->empty())
    return fail(ErrorCode::kFormat, "{}: expected a list of records", name);
  records.reserve(list->size());
  for (std::size_t i = 0; i < list->size(); ++i) {
    EDGELM_TRY_ASSIGN(Record record,
                      record_from_json((*list)[i], fmt::format("{}: record {}", name, i + 1)));
    records.push_back(std::move(record));
  }
  return records;
}

Result<std::vector<Record>> read_records(const std::string& path) {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kMaxBytes));
  return parse_records(text, path);
}

}  // namespace edgelm::quality

// Document to JSON. What is empty or absent is left out, to keep the page small.

#include "report/document_json.h"

#include <cmath>
#include <utility>

namespace edgelm::report {
namespace {

using api::Json;

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}
void put(Json& json, const char* key, const std::optional<Origin>& origin) {
  if (origin) json[key] = std::string(origin_name(*origin));
}

Json cell_json(const Cell& cell) {
  Json json = {{"text", cell.text}};
  if (cell.value && std::isfinite(*cell.value)) json["value"] = *cell.value;
  put(json, "origin", cell.origin);
  put(json, "note", cell.note);
  return json;
}

template <class T, class F>
Json list(const std::vector<T>& items, F&& one) {
  Json json = Json::array();
  for (const T& item : items) json.push_back(one(item));
  return json;
}

Json table_json(const Table& table) {
  Json json = {{"id", table.id}, {"title", table.title}};
  put(json, "text", table.text);
  put(json, "empty", table.empty);
  json["columns"] = list(table.columns, [](const Column& column) {
    Json one = {{"title", column.title}, {"numeric", column.numeric}};
    put(one, "unit", column.unit);
    put(one, "hint", column.hint);
    put(one, "origin", column.origin);
    return one;
  });
  json["rows"] =
      list(table.rows, [](const std::vector<Cell>& row) { return list(row, cell_json); });
  return json;
}

Json series_json(const Series& series) {
  Json json = {{"name", series.name}, {"origin", std::string(origin_name(series.origin))}};
  put(json, "kind", series.kind);
  json["points"] = list(series.points, [](const Point& point) {
    Json one = {{"x", point.x}, {"y", point.y}};
    if (point.interval) {
      one["low"] = point.interval->first;
      one["high"] = point.interval->second;
    }
    put(one, "label", point.label);
    if (point.flag) one["flag"] = true;
    return one;
  });
  return json;
}

Json plot_json(const Plot& plot) {
  Json json = {{"id", plot.id},           {"kind", plot.kind},           {"title", plot.title},
               {"caption", plot.caption}, {"x_label", plot.x_label},     {"y_label", plot.y_label},
               {"empty", plot.empty},     {"one_panel", plot.one_panel}, {"remarks", plot.remarks}};
  json["panels"] = list(plot.panels, [](const Panel& panel) {
    Json one = {{"title", panel.title}};
    put(one, "note", panel.note);
    put(one, "y_label", panel.y_label);
    if (panel.level) one["level"] = *panel.level;
    one["series"] = list(panel.series, series_json);
    if (!panel.spans.empty())
      one["spans"] = list(panel.spans, [](const Span& span) {
        return Json{{"name", span.name}, {"begin", span.begin}, {"end", span.end}};
      });
    return one;
  });
  return json;
}

}  // namespace

Json document_json(const Document& d) {
  Json json = {{"format", "edgelm.report/1"}, {"title", d.title},
               {"subtitle", d.subtitle},      {"made", d.made},
               {"version", d.version},        {"warnings", d.warnings}};
  json["highlights"] = list(d.highlights, [](const Highlight& h) {
    return Json{
        {"label", h.label}, {"unit", h.unit}, {"cell", cell_json(h.cell)}, {"note", h.note}};
  });
  json["origins"] = list(d.origins, [](const Definition& o) {
    return Json{{"name", o.term}, {"text", o.text}};
  });
  json["devices"] = list(d.devices, [](const DeviceSheet& device) {
    return Json{{"name", device.name},
                {"fingerprint", device.fingerprint},
                {"rows", list(device.facts, [](const Fact& fact) {
                   return Json{{"label", fact.label}, {"cell", cell_json(fact.cell)}};
                 })}};
  });
  json["sections"] = list(d.sections, [](const Section& section) {
    Json one = {{"id", section.id}, {"title", section.title}};
    put(one, "text", section.text);
    one["plots"] = list(section.plots, plot_json);
    one["tables"] = list(section.tables, table_json);
    return one;
  });
  json["definitions"] = list(d.definitions, [](const Definition& o) {
    return Json{{"term", o.term}, {"text", o.text}};
  });
  return json;
}

std::string script_text(const Json& json) {
  const std::string text = api::dump(json, -1);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace edgelm::report

#pragma once
// A report as data, before it has a form: sections of tables and plots, whose every figure says
// where it comes from. build.h makes it of records; text.h, csv.h and html.h show it. Plain data.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/known.h"

namespace edgelm::report {

inline constexpr std::string_view kNotAvailable = "n/a";

// One value of a table. A figure has an origin; a setting or a name has none.
struct Cell {
  std::string text;                            // "9.25", or kNotAvailable
  std::optional<double> value = std::nullopt;  // what the text rounds; for sorting and CSV
  std::optional<Origin> origin = std::nullopt;
  std::string note = "";  // why it is absent, or a remark
};

struct Column {
  std::string title;
  std::string unit = "";
  std::string hint = "";  // the definition, in a few words
  bool numeric = true;
  // Of all figures of the column, when they have one origin; by finish().
  std::optional<Origin> origin = std::nullopt;
};

struct Table {
  std::string id;
  std::string title;
  std::string text = "";   // what one should know before reading it
  std::string empty = "";  // shown when there are no rows
  std::vector<Column> columns = {};
  std::vector<std::vector<Cell>> rows = {};  // each as long as `columns`
};

struct Point {
  double x = 0;
  double y = 0;
  std::optional<std::pair<double, double>> interval = std::nullopt;  // 95 %
  std::string label = "";
  bool flag = false;  // Pareto front, break-even, proportion instead of plan: by the plot's kind
};

struct Series {
  std::string name;
  std::string kind = "";  // by the plot's kind: "stack", "area", "line", "event", "dash"
  Origin origin = Origin::kMeasured;
  std::vector<Point> points = {};
};

// A stretch of the x axis with a name: a phase of a cell.
struct Span {
  std::string name;
  double begin = 0, end = 0;
};

struct Panel {
  std::string title;
  std::string note = "";
  std::string y_label = "";                    // when it differs from the plot's
  std::optional<double> level = std::nullopt;  // of guessing
  std::vector<Series> series = {};
  std::vector<Span> spans = {};  // of time lines
};

struct Plot {
  std::string id;
  std::string kind;  // a function of web/report/src/charts.js
  std::string title;
  std::string caption;
  std::string x_label;
  std::string y_label;
  std::string empty = "";  // why there is nothing to draw
  bool one_panel = false;  // one at a time, chosen by the reader
  std::vector<std::string> remarks = {};
  std::vector<Panel> panels = {};
};

struct Section {
  std::string id;
  std::string title;
  std::string text = "";
  std::vector<Plot> plots = {};
  std::vector<Table> tables = {};
};

struct Fact {
  std::string label;
  Cell cell;
};

struct DeviceSheet {
  std::string name;
  std::string fingerprint;
  std::vector<Fact> facts;
};

// One figure that people look for first.
struct Highlight {
  std::string label;
  std::string unit;
  Cell cell;
  std::string note;  // of which configuration
};

struct Definition {
  std::string term;
  std::string text;
};

struct Document {
  std::string title;
  std::string subtitle;
  std::string made;  // RFC 3339
  std::string version;
  std::vector<std::string> warnings;
  std::vector<Highlight> highlights;
  std::vector<Definition> origins;  // the words beside figures
  std::vector<DeviceSheet> devices;
  std::vector<Section> sections;
  std::vector<Definition> definitions;
};

}  // namespace edgelm::report

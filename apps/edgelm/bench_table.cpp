// The Markdown table of bench: the columns that always have something to say, and those that have
// it this time.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/edgelm/bench_output.h"
#include "apps/edgelm/bench_row.h"
#include "base/counted.h"
#include "base/printable.h"
#include "measure/other_load.h"
#include "measure/series.h"
#include "report/text.h"

namespace edgelm::apps {
namespace {

struct Column {
  std::string title;
  bool number = true;              // right-aligned
  std::vector<std::string> cells;  // one per row
  bool always = true;              // otherwise only when a cell is not empty
};

std::string mebibytes(const Known<std::uint64_t>& bytes) {
  return bytes ? fmt::format("{:.1f}", static_cast<double>(*bytes) / (1024.0 * 1024.0)) : "n/a";
}

std::string parameters(std::uint64_t n) {
  const auto count = static_cast<double>(n);
  if (n == 0) return "n/a";
  return n >= 1'000'000'000 ? fmt::format("{:.2f} B", count * 1e-9)
                            : fmt::format("{:.2f} M", count * 1e-6);
}

std::string number(const Known<double>& value, int digits, double factor = 1) {
  return value ? fmt::format("{:.{}f}", *value * factor, digits) : std::string();
}

// Names and reasons come from files and servers.
std::string safe(const std::string& text) {
  return report::markdown_escaped(printable(text, std::string::npos));
}

std::string or_na(std::string text) { return text.empty() ? "n/a" : std::move(text); }

// Columns on a terminal, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

class Table {
 public:
  explicit Table(const std::vector<BenchRow>& rows) : rows_(rows) {}

  template <class F>
  void add(const std::string& title, bool is_number, F cell, bool always = true) {
    Column column{.title = title, .number = is_number, .cells = {}, .always = always};
    column.cells.reserve(rows_.size());
    bool any = always;
    for (const BenchRow& row : rows_) {
      column.cells.push_back(cell(row));
      any = any || !column.cells.back().empty();
    }
    if (any) columns_.push_back(std::move(column));
  }

  [[nodiscard]] std::string text() const {
    std::string title;
    std::string rule;
    std::vector<std::string> lines(rows_.size());
    for (const Column& column : columns_) {
      std::size_t width = std::max<std::size_t>(width_of(column.title), 3);
      for (const std::string& cell : column.cells) width = std::max(width, width_of(cell));
      pad(title, column, column.title, width);
      rule += "| " + std::string(width - 1, '-') + (column.number ? ": " : "- ");
      for (std::size_t i = 0; i < rows_.size(); ++i) pad(lines[i], column, column.cells[i], width);
    }
    std::string table = title + "|\n" + rule + "|\n";
    for (const std::string& line : lines) table.append(line).append("|\n");
    return table;
  }

 private:
  static void pad(std::string& line, const Column& column, const std::string& cell,
                  std::size_t width) {
    const std::string padding(width - width_of(cell), ' ');
    line.append("| ").append(column.number ? padding : cell);
    line.append(column.number ? cell : padding).append(" ");
  }

  const std::vector<BenchRow>& rows_;
  std::vector<Column> columns_;
};

std::string range(const measure::Series& rate) {
  const auto [low, high] = std::minmax_element(rate.samples.begin(), rate.samples.end());
  return fmt::format("{:.1f} – {:.1f}", *low, *high);
}

std::string precision(const BenchRow& row) {
  const RowFigures f = figures_of(row);
  if (f.rate == nullptr || f.rate->samples.size() < 3) return "";
  return fmt::format("{:.1f} %", 100 * measure::relative_precision(*f.rate));
}

std::string energy(const BenchRow& row) {
  const RowFigures f = figures_of(row);
  if (!f.joules_per_token) return "";
  return fmt::format("{:.4g}{}", *f.joules_per_token,
                     f.net_joules_per_token ? fmt::format(" ({:.4g} net)", *f.net_joules_per_token)
                                            : std::string());
}

// With the scope of the sensor, without which joules say little.
std::string energy_title(const std::vector<BenchRow>& rows) {
  for (const BenchRow& row : rows)
    if (!row.record->sensor.id.empty())
      return fmt::format("J/token ({})", device::scope_name(row.record->sensor.scope));
  return "J/token";
}

void add_columns(Table& table, const std::vector<BenchRow>& rows) {
  const auto settings = [](const BenchRow& row) -> const measure::Settings& {
    return row.record->settings;
  };
  table.add("model", false, [&](const BenchRow& row) { return safe(settings(row).model); });
  table.add("type", false, [&](const BenchRow& row) { return or_na(safe(settings(row).type)); });
  table.add("params", false,
            [](const BenchRow& row) { return parameters(row.record->parameters); });
  table.add("test", false, [&](const BenchRow& row) {
    return row.test() + (settings(row).kv_type == "f16" || settings(row).kv_type.empty()
                             ? ""
                             : " kv " + settings(row).kv_type);
  });
  table.add(
      "power mode", false, [&](const BenchRow& row) { return safe(settings(row).power_mode); },
      false);
  table.add("threads", true, [&](const BenchRow& row) {
    return settings(row).threads == 0 ? "n/a" : std::to_string(settings(row).threads);
  });
  table.add("tokens/s", true, [](const BenchRow& row) {
    const RowFigures f = figures_of(row);
    if (f.rate != nullptr) return fmt::format("{:.1f}", f.rate->median);
    return std::string(row.record->outcome == measure::Outcome::kMeasured
                           ? "n/a"
                           : outcome_word(row.record->outcome));
  });
  table.add("±", true, precision, false);
  table.add("min – max", true, [](const BenchRow& row) {
    const RowFigures f = figures_of(row);
    return f.rate == nullptr ? std::string("n/a") : range(*f.rate);
  });
  table.add(
      "TTFT ms", true,
      [](const BenchRow& row) {
        return row.prefill
                   ? number(row.record->ttft_ms.map([](const auto& s) { return s.median; }), 1)
                   : std::string();
      },
      false);
  table.add(
      "ITL p50 / p90 ms", true,
      [](const BenchRow& row) {
        if (row.prefill || !row.record->itl_p50_ms) return std::string();
        return fmt::format("{:.2f} / {}", *row.record->itl_p50_ms,
                           or_na(number(row.record->itl_p90_ms, 2)));
      },
      false);
  table.add(energy_title(rows), true, energy, false);
  table.add("weights GB/s", true, [](const BenchRow& row) {
    return or_na(number(figures_of(row).bytes_per_s, 2, 1e-9));
  });
  table.add("read GB/s", true, [](const BenchRow& row) {
    return or_na(number(row.record->read_bytes_per_s, 2, 1e-9));
  });
  table.add("load ms", true,
            [](const BenchRow& row) { return or_na(number(row.record->warm_load_ms, 1)); });
  table.add(
      "cold load ms", true, [](const BenchRow& row) { return number(row.record->cold_load_ms, 1); },
      false);
  table.add("weights + KV + compute MiB", true, [](const BenchRow& row) {
    const measure::MemoryParts& plan = row.record->planned;
    if (!plan.weights) return std::string("n/a");
    return fmt::format("{} + {} + {}", mebibytes(plan.weights), mebibytes(plan.kv),
                       mebibytes(plan.compute));
  });
  table.add("peak MiB", true, [](const BenchRow& row) {
    const Known<std::uint64_t>& peak = row.record->memory.peak_rss;
    return peak ? fmt::format("{:.0f}", static_cast<double>(*peak) / (1024.0 * 1024.0)) : "n/a";
  });
}

// Which notes are warnings and not the usual course of things.
bool worth_saying(const std::string& note) {
  return !note.starts_with("first load") && !note.starts_with("energy of loading") &&
         note.find("one warm-up run alone") == std::string::npos &&
         !note.starts_with("load of other programs") &&
         !note.starts_with("other programs kept") &&  // one line for all: neighbours()
         note.find("the median is known to") == std::string::npos;  // a column says it
}

// The load that others put on the machine, over all records.
std::string neighbours(const std::vector<BenchRow>& rows) {
  double least = 1e9;
  double most = 0;
  std::size_t n = 0;
  const measure::Record* last = nullptr;
  for (const BenchRow& row : rows) {
    if (row.record == last) continue;
    last = row.record;
    if (!(row.record->other_load > measure::kQuietLoad)) continue;
    ++n;
    least = std::min(least, row.record->other_load);
    most = std::max(most, row.record->other_load);
  }
  if (n == 0) return "";
  return fmt::format("- other programs kept {:.2f} to {:.2f} processors busy during {}\n", least,
                     most, counted(n, "cell"));
}

// Each remark once, with the first row it belongs to and how many others.
std::string remarks(const std::vector<BenchRow>& rows) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> where;
  const measure::Record* last = nullptr;
  for (const BenchRow& row : rows) {
    if (row.record == last) continue;  // the other row of the same record
    last = row.record;
    std::vector<std::string> notes;
    if (row.record->outcome != measure::Outcome::kMeasured)
      notes.push_back(figures_of(row).why_no_rate);
    for (const std::string& note : row.record->notes)
      if (worth_saying(note)) notes.push_back(note);
    for (const std::string& note : notes) {
      if (where[note].empty()) order.push_back(note);
      const std::uint32_t threads = row.record->settings.threads;  // 0: a server's business
      where[note].push_back(fmt::format("{} {}{}", row.record->settings.model, row.test(),
                                        threads > 0 ? fmt::format(" t{}", threads) : ""));
    }
  }
  std::string text;
  for (const std::string& note : order) {
    const auto& places = where[note];
    text += fmt::format("- {}{}: {}\n", safe(places.front()),
                        places.size() > 1 ? fmt::format(" and {} more", places.size() - 1) : "",
                        safe(note));
  }
  return text;
}

}  // namespace

std::string markdown(const std::vector<BenchRow>& rows) {
  Table table(rows);
  add_columns(table, rows);
  const std::string said = remarks(rows) + neighbours(rows);
  return table.text() + (said.empty() ? "" : "\n" + said);
}

}  // namespace edgelm::apps

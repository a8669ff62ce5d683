// Text forms of a document. Whatever comes from records is made printable first: a model's name may
// hold anything.

#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "formats/printable.h"
#include "report/figures.h"

namespace edgelm::report {
namespace {

constexpr std::size_t kLongest = 400;  // of one cell

std::string clean(const std::string& text) { return formats::printable(text, kLongest); }

std::string markdown_clean(const std::string& text) {
  return markdown_escaped(clean(text), "|<*_`[]");
}

// Columns on a terminal: continuation bytes of UTF-8 take no room.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// A table as strings: headers of up to three lines, cells with marks, and the notes they refer to.
struct Grid {
  std::vector<std::vector<std::string>> head;  // title, unit, origin
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> numeric;
  std::vector<std::string> notes;
};

std::string mark_of(const Cell& cell, const Column& column, std::vector<std::string>& notes) {
  if (cell.text == kNotAvailable) {
    if (cell.note.empty()) return "";
    auto at = std::find(notes.begin(), notes.end(), cell.note);
    if (at == notes.end()) at = notes.insert(notes.end(), cell.note);
    return fmt::format(" ({})", at - notes.begin() + 1);
  }
  if (!cell.origin || column.origin) return "";
  return " " + std::string(origin_name(*cell.origin));
}

Grid grid_of(const Table& table) {
  Grid grid;
  grid.head.resize(3);
  for (const Column& column : table.columns) {
    grid.head[0].push_back(column.title);
    grid.head[1].push_back(column.unit);
    grid.head[2].push_back(column.origin ? std::string(origin_name(*column.origin)) : "");
    grid.numeric.push_back(column.numeric);
  }
  grid.rows.reserve(table.rows.size());
  for (const std::vector<Cell>& row : table.rows) {
    std::vector<std::string> line;
    line.reserve(row.size());
    for (std::size_t i = 0; i < row.size(); ++i)
      line.push_back(clean(row[i].text) + mark_of(row[i], table.columns[i], grid.notes));
    grid.rows.push_back(std::move(line));
  }
  return grid;
}

// Columns with something to see in them. Those that are not available in any row, all for one
// reason, become a line of text, by reason.
std::vector<std::size_t> used_columns(const Table& table,
                                      std::vector<std::pair<std::string, std::string>>& absent) {
  std::vector<std::size_t> used;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto& rows = table.rows;
    if (std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row[i].text.empty(); }))
      continue;
    const Cell& first = rows.front()[i];
    const bool nowhere = std::all_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row[i].text == kNotAvailable && row[i].note == first.note;
    });
    if (!nowhere || first.note.empty()) {
      used.push_back(i);
      continue;
    }
    const Column& column = table.columns[i];
    const std::string title = column.title + (column.unit.empty() ? "" : ", " + column.unit);
    const auto at = std::find_if(absent.begin(), absent.end(),
                                 [&](const auto& one) { return one.first == first.note; });
    if (at == absent.end()) {
      absent.emplace_back(first.note, title);
    } else {
      at->second += "; " + title;
    }
  }
  return used;
}

void add_line(std::string& out, const std::vector<std::string>& cells,
              const std::vector<std::size_t>& columns, const std::vector<std::size_t>& widths,
              const std::vector<bool>& numeric) {
  std::string line;
  for (const std::size_t i : columns) {
    const std::string padding(widths[i] - width(cells[i]), ' ');
    line += line.empty() ? "" : "  ";
    line += numeric[i] ? padding + cells[i] : cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

constexpr std::size_t kRepeated = 4;  // columns that name the row: model, type, test, threads

// The columns of a table that a terminal has use for.
Table without(const Table& table, const std::vector<std::size_t>& used) {
  Table part{.id = table.id, .title = table.title};
  for (const std::size_t i : used) part.columns.push_back(table.columns[i]);
  for (const std::vector<Cell>& row : table.rows) {
    std::vector<Cell> cells;
    cells.reserve(used.size());
    for (const std::size_t i : used) cells.push_back(row[i]);
    part.rows.push_back(std::move(cells));
  }
  return part;
}

std::string fact_text(const Cell& cell) {
  std::string text = clean(cell.text);
  if (cell.origin) text += " (" + std::string(origin_name(*cell.origin)) + ")";
  if (!cell.note.empty()) text += ": " + clean(cell.note);
  return text;
}

}  // namespace

std::string terminal_table(const Table& table, std::size_t room) {
  std::vector<std::pair<std::string, std::string>> nowhere;
  const Grid grid = grid_of(without(table, used_columns(table, nowhere)));
  std::vector<std::size_t> widths(grid.numeric.size(), 0);
  for (const auto* lines : {&grid.head, &grid.rows})
    for (const auto& line : *lines)
      for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  std::vector<std::size_t> used(grid.numeric.size());
  std::iota(used.begin(), used.end(), std::size_t{0});
  const std::size_t repeated = std::min(kRepeated, used.size());
  std::string out;
  std::size_t next = repeated;
  const bool figures = nowhere.empty() || used.size() > repeated;  // else names of cells alone
  while (figures && (out.empty() || next < used.size())) {
    std::vector<std::size_t> part(used.begin(),
                                  used.begin() + static_cast<std::ptrdiff_t>(repeated));
    std::size_t taken = 0;
    for (const std::size_t i : part) taken += widths[i] + 2;
    const std::size_t before = next;
    while (next < used.size() && (next == before || taken + widths[used[next]] <= room)) {
      taken += widths[used[next]] + 2;
      part.push_back(used[next++]);
    }
    if (!out.empty()) out += '\n';
    for (const auto& line : grid.head)
      if (std::any_of(part.begin(), part.end(), [&](std::size_t i) { return !line[i].empty(); }))
        add_line(out, line, part, widths, grid.numeric);
    for (const auto& line : grid.rows) add_line(out, line, part, widths, grid.numeric);
  }
  for (std::size_t i = 0; i < grid.notes.size(); ++i)
    out += fmt::format("({}) {}\n", i + 1, clean(grid.notes[i]));
  for (const auto& [reason, titles] : nowhere)
    out += fmt::format("n/a in every row: {}. Reason: {}\n", titles, clean(reason));
  return out;
}

std::string markdown_escaped(std::string_view text, std::string_view special) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string markdown_table(const Table& table) {
  Grid grid = grid_of(table);
  std::string out = "|";
  for (std::size_t i = 0; i < grid.numeric.size(); ++i) {
    out += " " + grid.head[0][i];
    for (std::size_t line = 1; line < grid.head.size(); ++line)
      if (!grid.head[line][i].empty()) out += "<br>" + grid.head[line][i];
    out += " |";
  }
  out += "\n|";
  for (const bool numeric : grid.numeric) out += numeric ? "---:|" : "---|";
  out += '\n';
  for (const auto& row : grid.rows) {
    out += '|';
    for (const std::string& cell : row) out.append(" ").append(markdown_clean(cell)).append(" |");
    out += '\n';
  }
  if (!grid.notes.empty()) out += '\n';
  for (std::size_t i = 0; i < grid.notes.size(); ++i)
    out += fmt::format("({}) {}{}\n", i + 1, markdown_clean(grid.notes[i]),
                       i + 1 < grid.notes.size() ? "  " : "");
  return out;
}

std::string terminal_text(const Document& document, std::size_t columns) {
  std::string out = clean(document.title) + "\n" + document.subtitle + "\n";
  for (const std::string& warning : document.warnings) out += "! " + clean(warning) + "\n";
  for (const DeviceSheet& device : document.devices) {
    out += fmt::format("\n== {} ({})\n", clean(device.name), clean(device.fingerprint));
    for (const Fact& fact : device.facts)
      out += fmt::format("{:<16}{}\n", fact.label, fact_text(fact.cell));
  }
  for (const Section& section : document.sections) {
    for (const Table& table : section.tables) {
      out += fmt::format("\n== {}: {}\n", section.title, table.title);
      if (!table.text.empty() && !table.rows.empty()) out += table.text + "\n";
      out += table.rows.empty() ? table.empty + "\n" : terminal_table(table, columns);
    }
  }
  out += "\n== Words\n";
  for (const Definition& one : document.origins)
    out += fmt::format("{:<16}{}\n", one.term, one.text);
  for (const Definition& one : document.definitions)
    out += fmt::format("{:<16}{}\n", clean(one.term), clean(one.text));
  return out;
}

std::string markdown(const Document& document) {
  std::string out = "# " + markdown_clean(document.title) + "\n\n" + document.subtitle + ". Made " +
                    document.made + " by edgelm " + document.version + ".\n";
  for (const std::string& warning : document.warnings)
    out += "\n> **Note:** " + markdown_clean(warning) + "\n";
  for (const DeviceSheet& device : document.devices) {
    out += fmt::format("\n## {}\n\nFingerprint {}.\n\n| | |\n|---|---|\n",
                       markdown_clean(device.name), markdown_clean(device.fingerprint));
    for (const Fact& fact : device.facts)
      out += fmt::format("| {} | {} |\n", fact.label, markdown_clean(fact_text(fact.cell)));
  }
  for (const Section& section : document.sections) {
    out += fmt::format("\n## {}\n", section.title);
    for (const Plot& plot : section.plots)
      if (plot.panels.empty())
        out += fmt::format("\n{}: {}\n", plot.title, markdown_clean(plot.empty));
    for (const Table& table : section.tables) {
      out += fmt::format("\n### {}\n\n", table.title);
      if (!table.text.empty()) out += markdown_clean(table.text) + "\n\n";
      out += table.rows.empty() ? table.empty + "\n" : markdown_table(table);
    }
  }
  out += "\n## Definitions\n\n";
  for (const auto* list : {&document.origins, &document.definitions})
    for (const Definition& one : *list)
      out += fmt::format("- **{}**: {}\n", markdown_clean(one.term), markdown_clean(one.text));
  return out;
}

}  // namespace edgelm::report

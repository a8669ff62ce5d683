#pragma once
// A report as text: tables for a terminal, or Markdown. Both show every table, the passport, the
// definitions, and reasons as numbered notes below each table; plots are the tables' business.

#include <string>

#include "report/document.h"

namespace edgelm::report {

// `columns`: width of the terminal; wider tables are cut into parts that repeat the first columns.
std::string terminal_text(const Document& document, std::size_t columns = 120);
std::string markdown(const Document& document);

// One table with its notes.
std::string terminal_table(const Table& table, std::size_t room);  // columns of characters
std::string markdown_table(const Table& table);

}  // namespace edgelm::report

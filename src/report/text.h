#pragma once
// A report as text: tables for a terminal, or Markdown. Both show every table, the passport, the
// definitions, and reasons as numbered notes below each table; plots are the tables' business.

#include <string>
#include <string_view>

#include "report/document.h"

namespace edgelm::report {

// `columns`: width of the terminal; wider tables are cut into parts that repeat the first columns.
std::string terminal_text(const Document& document, std::size_t columns = 120);
std::string markdown(const Document& document);

// `text` with a backslash before each of `special`, which Markdown would take for its own: what
// breaks a table or makes HTML and links, at least.
std::string markdown_escaped(std::string_view text, std::string_view special = "|<`[");

// One table with its notes.
std::string terminal_table(const Table& table, std::size_t room);  // columns of characters
std::string markdown_table(const Table& table);

}  // namespace edgelm::report

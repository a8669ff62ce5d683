#pragma once
// A report as one HTML file that needs nothing else: the page that web/report is built into, with
// the document's data in it.

#include <string>

#include "base/result.h"
#include "report/document.h"

namespace edgelm::report {

Result<std::string> html(const Document& document);

}  // namespace edgelm::report

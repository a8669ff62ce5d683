// Puts the data into the page, which is part of the program (cmake/web.cmake).

#include "report/html.h"

#include <string_view>

#include "report/document_json.h"

extern "C" {
extern const char edgelm_web_report_begin[];  // NOLINT(readability-identifier-naming)
extern const char edgelm_web_report_end[];    // NOLINT(readability-identifier-naming)
}

namespace edgelm::report {

Result<std::string> html(const Document& document) {
  const std::string_view page(
      edgelm_web_report_begin,
      static_cast<std::size_t>(edgelm_web_report_end - edgelm_web_report_begin));
  constexpr std::string_view kPlace = "\"EDGELM_REPORT_DATA\"";
  const std::size_t at = page.find(kPlace);
  if (at == std::string_view::npos || page.find(kPlace, at + 1) != std::string_view::npos)
    return fail(ErrorCode::kInternal, "the report's page has no place for its data, or two");
  const std::string data = script_text(document_json(document));
  std::string out;
  out.reserve(page.size() + data.size());
  out.append(page.substr(0, at)).append(data).append(page.substr(at + kPlace.size()));
  return out;
}

}  // namespace edgelm::report

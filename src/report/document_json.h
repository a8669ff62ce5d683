#pragma once
// A report's document as the JSON that web/report reads.

#include "api/json.h"
#include "report/document.h"

namespace edgelm::report {

api::Json document_json(const Document& document);

// JSON as the text of a <script type="application/json"> element: no '<', so that nothing in it
// can end the element or open another.
std::string script_text(const api::Json& json);

}  // namespace edgelm::report

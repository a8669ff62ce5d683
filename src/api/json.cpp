// Writing JSON: nlohmann-json does the work, this adds the escapes it leaves out.

#include "api/json.h"

#include <fmt/format.h>

#include <cstddef>

namespace edgelm::api {

std::string dump(const Json& value, int indent) {
  const std::string text =
      value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  // Outside strings JSON is ASCII without DEL, so every hit below is inside a string.
  // U+0080..U+009F are the bytes C2 80 .. C2 9F; some terminals obey U+009B as they obey ESC [.
  std::string escaped;
  escaped.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x7f) {
      escaped += "\\u007f";
    } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      escaped += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      escaped += text[i];
    }
  }
  return escaped;
}

}  // namespace edgelm::api

// JSON comes from servers, stores and files: any bytes must parse or fail with an error; what
// parses is written as valid JSON that parses to the same again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = edgelm::api::parse(text, "input");
  if (!value) {
    if (value.error().message.empty()) __builtin_trap();
    return 0;
  }
  const std::string written = edgelm::api::dump(*value, -1);
  const auto again = edgelm::api::parse(written, "written");
  if (!again || edgelm::api::dump(*again, -1) != written) __builtin_trap();
  for (const char* key : {"a", "choices", ""}) {
    (void)edgelm::api::string_at(*value, key, "input");
    (void)edgelm::api::number_at(*value, key, "input");
    (void)edgelm::api::unsigned_at(*value, key, "input");
  }
  return 0;
}

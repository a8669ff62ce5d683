// Event streams come from servers: any bytes must parse within the stated limits, and give the same
// events whole and cut at places that the bytes themselves choose.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/sse.h"

namespace {

constexpr std::size_t kMaxEventBytes = 512;

std::vector<std::string> events(std::string_view stream, bool cut) {
  edgelm::http::EventParser parser(kMaxEventBytes);
  std::vector<std::string> result;
  while (!stream.empty()) {
    const std::size_t wanted = cut ? static_cast<unsigned char>(stream[0]) % 5 : stream.size();
    const std::size_t size = std::min(wanted, stream.size());
    const auto status = parser.push(stream.substr(0, size), [&](const auto& event) {
      if (event.data.size() > kMaxEventBytes) __builtin_trap();
      result.push_back(event.type + '\n' + event.data);
      return true;
    });
    if (!status) {
      result.emplace_back("error");
      break;
    }
    // An empty piece changes nothing; go on by one byte.
    stream.remove_prefix(size);
    if (size == 0) {
      if (!parser.push(stream.substr(0, 1), [&](const auto& event) {
            result.push_back(event.type + '\n' + event.data);
            return true;
          })) {
        result.emplace_back("error");
        break;
      }
      stream.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  if (events(stream, false) != events(stream, true)) __builtin_trap();
  return 0;
}

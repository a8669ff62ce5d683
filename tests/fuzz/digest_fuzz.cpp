// Challenges come from plugs and whatever answers in their place: any headers must be read or
// refused, and the answer to one that was read carries exactly its realm, nonce and opaque value.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "http/digest.h"

namespace {

using edgelm::http::Headers;

// A header per line.
Headers headers_of(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size());
    headers.emplace_back("www-authenticate", text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return headers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto challenge = edgelm::http::digest_challenge(headers_of(text), "fuzz");
  if (!challenge) return 0;
  const auto answer = edgelm::http::digest_authorization(
      *challenge,
      {.user = "admin", .password = "secret", .method = "GET", .uri = "/", .cnonce = "0"});
  if (!answer) __builtin_trap();
  for (const char c : *answer)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) __builtin_trap();  // no header of its own
  // The answer has the parameters of a challenge, and reads as one.
  const auto again = edgelm::http::digest_challenge({{"www-authenticate", *answer}}, "fuzz");
  if (!again || again->realm != challenge->realm || again->nonce != challenge->nonce ||
      again->opaque != challenge->opaque)
    __builtin_trap();
  return 0;
}

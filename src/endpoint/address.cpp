// The rules of address.h.

#include "endpoint/address.h"

#include "http/client.h"

namespace edgelm::endpoint {
namespace {

bool remove_suffix(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.erase(text.size() - suffix.size());
  return true;
}

}  // namespace

Result<ServerAddress> parse_address(std::string_view url) {
  EDGELM_TRY_ASSIGN(const http::Url parsed, http::parse_url(url));
  if (parsed.target.find('?') != std::string::npos)
    return fail(ErrorCode::kUsage,
                "{}: a server's address has no query ('?...'); a key goes into a file or the "
                "environment",
                http::display_name(parsed));
  std::string path = parsed.target;
  while (remove_suffix(path, "/")) {
  }
  for (const std::string_view operation : {"/chat/completions", "/completions", "/models"}) {
    if (remove_suffix(path, operation)) break;
  }
  if (path.empty()) path = "/v1";
  const std::string origin = http::display_origin(parsed);
  ServerAddress address;
  address.base = origin + path;
  remove_suffix(path, "/v1");
  address.root = origin + path;
  return address;
}

}  // namespace edgelm::endpoint

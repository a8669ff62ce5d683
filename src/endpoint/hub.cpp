// Talks to a hub; see hub.h. The API as publicly documented (huggingface.co/docs/hub/api) and used
// by its clients: GET /api/models/OWNER/REPO/tree/REVISION?recursive=true lists [{type, path,
// size}], more pages behind `Link: <...>; rel="next"`; GET /OWNER/REPO/resolve/REVISION/PATH
// redirects to the bytes. A '/' in REVISION is %2F.

#include "endpoint/hub.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "api/json.h"
#include "endpoint/failure.h"
#include "endpoint/gguf_extent.h"
#include "formats/gguf_split.h"
#include "http/client.h"
#include "http/range_file.h"

namespace edgelm::endpoint {
namespace {

constexpr std::uint64_t kFirstBytes = std::uint64_t{2} << 20;  // the header of a small vocabulary
constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{128} << 20;
constexpr int kMaxPages = 50;
constexpr int kMaxRedirects = 5;
constexpr std::uint32_t kMaxParts = 1000;

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

struct Hub {
  std::string base;  // without '/' at the end
  std::string token;
  bool trusted = false;  // with the token: https, or this machine
};

Result<Hub> hub_of_environment() {
  Hub hub;
  hub.token = environment("HF_TOKEN");
  hub.base = environment("EDGELM_HUB");
  const char* from = "EDGELM_HUB";
  if (hub.base.empty()) {
    hub.base = environment("HF_ENDPOINT");
    from = "HF_ENDPOINT";
  }
  if (hub.base.empty()) hub.base = "https://huggingface.co";
  while (hub.base.ends_with('/')) hub.base.pop_back();
  const auto url = http::parse_url(hub.base);
  if (!url) return fail(ErrorCode::kUsage, "environment {}: {}", from, url.error().message);
  hub.trusted = url->scheme == "https" || url->host == "localhost" || url->host == "127.0.0.1" ||
                url->host == "::1";
  return hub;
}

http::Headers credentials(const Hub& hub) {
  if (hub.token.empty() || !hub.trusted) return {};
  return {{"authorization", "Bearer " + hub.token}};
}

// A path inside a URL, RFC 3986.
std::string percent_encoded(std::string_view path) {
  std::string text;
  text.reserve(path.size());
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return text;
}

std::string revision_in_url(const HubName& name) {
  if (name.revision.empty()) return "main";
  std::string text;
  for (const char c : name.revision) {
    if (c == '/') {
      text += "%2F";
    } else {
      text += c;
    }
  }
  return text;
}

// What to do about a refusal. Hubs answer 401 for what does not exist as well, so as not to tell.
Error explained(Error error, const Hub& hub) {
  if (error.code != ErrorCode::kPermission) return error;
  error.message += hub.token.empty()
                       ? "; no such repository, or a private or gated one: then set HF_TOKEN"
                   : hub.trusted ? "; no such repository, or HF_TOKEN has no access to it (accept "
                                   "the model's licence on its page)"
                                 : "; HF_TOKEN is not sent over http";
  return error;
}

// The URL of the next page in a Link header (RFC 8288), when it leads to the same hub.
std::string next_page(std::string_view link, const std::string& base) {
  const std::size_t open = link.find('<');
  const std::size_t close = link.find('>');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  if (link.substr(close).find("rel=\"next\"") == std::string_view::npos) return {};
  const std::string_view url = link.substr(open + 1, close - open - 1);
  return url.starts_with(base + "/") ? std::string(url) : std::string();
}

Status read_page(const http::Response& response, const std::string& name,
                 std::vector<HubFile>& files) {
  EDGELM_TRY_ASSIGN(const api::Json list, api::parse(response.body, name));
  if (!list.is_array())
    return fail(ErrorCode::kFormat, "{}: expected a list of files, got: {}", name,
                server_message(response.body));
  for (const api::Json& entry : list) {
    EDGELM_TRY_ASSIGN(const std::string type, api::string_at(entry, "type", name));
    if (type != "file") continue;
    HubFile file;
    EDGELM_TRY_ASSIGN(file.path, api::string_at(entry, "path", name));
    EDGELM_TRY_ASSIGN(file.bytes, api::unsigned_at(entry, "size", name));
    if (file.path.ends_with(".gguf")) files.push_back(std::move(file));
  }
  return {};
}

// Fetches until the header is whole.
Result<RemotePart> fetch_part(const std::string& url, const http::Headers& headers,
                              std::string name) {
  http::RangeFile file(url, headers);
  std::uint64_t wanted = kFirstBytes;
  while (true) {
    EDGELM_TRY(file.need(wanted));
    const GgufExtent extent = gguf_extent(file.bytes());
    if (extent.kind != GgufExtent::Kind::kMore) break;
    if (file.whole())
      return fail(ErrorCode::kFormat, "{}: the file ends inside its header ({} bytes)", name,
                  file.file_bytes());
    if (file.bytes().size() >= kMaxHeaderBytes || extent.bytes > kMaxHeaderBytes)
      return fail(ErrorCode::kLimit, "{}: a header of more than {} bytes", name, kMaxHeaderBytes);
    wanted = std::min(kMaxHeaderBytes, std::max<std::uint64_t>(extent.bytes, 2 * wanted));
  }
  if (!file.bytes().starts_with("GGUF"))
    return fail(ErrorCode::kFormat, "{}: not a GGUF file; it begins: {}", name,
                printable_line(std::string_view(file.bytes()).substr(0, 60)));
  RemotePart part;
  part.file_bytes = file.file_bytes();
  part.bytes = file.take();
  part.name = std::move(name);
  return part;
}

Result<RemotePart> fetch_hub_file(const Hub& hub, const HubName& name, const std::string& path) {
  const std::string url = fmt::format("{}/{}/{}/resolve/{}/{}", hub.base, name.owner, name.repo,
                                      revision_in_url(name), percent_encoded(path));
  Result<RemotePart> part =
      fetch_part(url, credentials(hub), fmt::format("{}/{}", repository_text(name), path));
  if (part) return part;
  if (part.error().code == ErrorCode::kNotFound) {
    // Which files there are helps more than that this one is missing.
    HubName wanted = name;
    wanted.file = path;
    const auto files = list_gguf_files(name);
    if (!files) return fail(files.error());
    const auto chosen = choose_file(*files, wanted);
    if (!chosen) return fail(chosen.error());
  }
  return fail(explained(part.error(), hub));
}

RemoteHeader header_of(RemotePart part) {
  return {std::move(part.bytes), part.file_bytes, std::move(part.name), {}};
}

Result<RemoteHeader> fetch_from_hub(const HubName& name) {
  EDGELM_TRY_ASSIGN(const Hub hub, hub_of_environment());
  std::string path = name.file;
  if (path.empty()) {
    EDGELM_TRY_ASSIGN(const std::vector<HubFile> files, list_gguf_files(name));
    EDGELM_TRY_ASSIGN(const HubFile chosen, choose_file(files, name));
    path = chosen.path;
  }
  const auto split = formats::parse_split_name(path);
  if (split && (split->no != 1 || split->count > kMaxParts))
    return fail(ErrorCode::kUsage, "{}: part {} of a model in {} parts: name the first one", path,
                split->no, split->count);
  EDGELM_TRY_ASSIGN(RemotePart first, fetch_hub_file(hub, name, path));
  RemoteHeader header = header_of(std::move(first));
  if (!split) return header;
  header.more.reserve(split->count - 1);
  for (std::uint32_t no = 2; no <= split->count; ++no) {
    EDGELM_TRY_ASSIGN(RemotePart part,
                      fetch_hub_file(hub, name, formats::split_part_path(*split, no)));
    header.file_bytes += part.file_bytes;
    header.more.push_back(std::move(part));
  }
  return header;
}

// A page of the hub that shows a file leads to the file.
Result<RemoteHeader> fetch_from_url(std::string url) {
  EDGELM_TRY_ASSIGN(const Hub hub, hub_of_environment());
  const bool on_hub = url.starts_with(hub.base + "/");
  const std::size_t blob = url.find("/blob/");
  if (on_hub && blob != std::string::npos) url.replace(blob, 6, "/resolve/");
  EDGELM_TRY_ASSIGN(const http::Url parsed, http::parse_url(url));
  Result<RemotePart> part =
      fetch_part(url, on_hub ? credentials(hub) : http::Headers{}, http::display_name(parsed));
  if (!part) return fail(on_hub ? explained(part.error(), hub) : part.error());
  return header_of(*std::move(part));
}

}  // namespace

Result<std::vector<HubFile>> list_gguf_files(const HubName& name) {
  EDGELM_TRY_ASSIGN(const Hub hub, hub_of_environment());
  const std::string where = repository_text(name);
  http::Request request;
  request.url = fmt::format("{}/api/models/{}/{}/tree/{}?recursive=true", hub.base, name.owner,
                            name.repo, revision_in_url(name));
  request.headers = credentials(hub);
  request.max_redirects = kMaxRedirects;
  http::Connection connection;
  std::vector<HubFile> files;
  for (int page = 0; page < kMaxPages && !request.url.empty(); ++page) {
    EDGELM_TRY_ASSIGN(const http::Response response, connection.fetch(request));
    if (response.status == 404)
      return fail(ErrorCode::kNotFound, "{}: the hub has no such {}", where,
                  name.revision.empty() ? "repository"
                  : response.header("x-error-code") == "RevisionNotFound"
                      ? "revision of this repository"
                      : "repository, or no such revision of it");
    if (response.status != 200)
      return fail(explained(status_error(response, where, hub.token), hub));
    EDGELM_TRY(read_page(response, where, files));
    request.url = next_page(response.header("link"), hub.base);
  }
  std::sort(files.begin(), files.end(),
            [](const HubFile& a, const HubFile& b) { return a.path < b.path; });
  return files;
}

Result<RemoteHeader> fetch_gguf_header(const std::string& name) {
  if (name.starts_with("http://") || name.starts_with("https://")) return fetch_from_url(name);
  EDGELM_TRY_ASSIGN(const HubName parsed, parse_hub_name(name));
  return fetch_from_hub(parsed);
}

}  // namespace edgelm::endpoint

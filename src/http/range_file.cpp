// Range requests (RFC 9110, section 14) for range_file.h.

#include "http/range_file.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace edgelm::http {
namespace {

constexpr int kMaxRedirects = 8;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return value;
}

struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size = 0;
};

// "bytes 0-1023/146515"; nothing for other units and for an unknown size ("*").
std::optional<ContentRange> parse_content_range(std::string_view text) {
  if (!lower_case(text.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash)
    return std::nullopt;
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1, slash - dash - 1));
  const auto size = number(text.substr(slash + 1));
  if (!first || !last || !size || *first > *last || *last >= *size) return std::nullopt;
  return ContentRange{*first, *last, *size};
}

}  // namespace

RangeFile::RangeFile(std::string url, Headers headers, std::function<bool()> cancelled) {
  request_.url = std::move(url);
  request_.headers = std::move(headers);
  request_.max_redirects = kMaxRedirects;
  request_.cancelled = std::move(cancelled);
}

Status RangeFile::need(std::uint64_t n_bytes) {
  EDGELM_TRY_ASSIGN(const Url url, parse_url(request_.url));
  name_ = display_name(url);
  if (known_) n_bytes = std::min(n_bytes, file_bytes_);
  if (bytes_.size() >= n_bytes) return {};

  Request request = request_;
  const std::uint64_t wanted = n_bytes - bytes_.size();
  request.headers.emplace_back("range", fmt::format("bytes={}-{}", bytes_.size(), n_bytes - 1));
  request.max_body_bytes = wanted;
  std::string from_start;  // of a server that sends the whole file
  EDGELM_TRY_ASSIGN(const Response response,
                    connection_.stream(request, [&](std::string_view piece) {
                      from_start += piece.substr(0, n_bytes - from_start.size());
                      return from_start.size() < n_bytes;
                    }));
  if (response.status == 206) return take_part(response, wanted);
  if (response.status == 200) {
    const auto size = number(response.header("content-length"));
    const bool ended = from_start.size() < n_bytes;
    if (!size && !ended)
      return fail(ErrorCode::kUnsupported, "{}: the server does not tell the size of the file",
                  name_);
    EDGELM_TRY(set_size(size.value_or(from_start.size())));
    bytes_ = std::move(from_start);
    return {};
  }
  const ErrorCode code = response.status == 401 || response.status == 403 ? ErrorCode::kPermission
                         : response.status == 404                         ? ErrorCode::kNotFound
                                                                          : ErrorCode::kIo;
  // 416 to a first request: there is no first byte.
  return fail(code, "{}: the server answers {}{}", name_, response.status,
              response.status == 416 && bytes_.empty() ? " (an empty file)" : "");
}

Status RangeFile::take_part(const Response& response, std::uint64_t wanted) {
  const auto range = parse_content_range(response.header("content-range"));
  if (!range)
    return fail(ErrorCode::kFormat, "{}: a part (206) without a usable 'content-range'", name_);
  if (range->first != bytes_.size() || range->last - range->first + 1 != response.body.size())
    return fail(ErrorCode::kFormat,
                "{}: asked for {} bytes from {}, got {} bytes said to be {} to {}", name_, wanted,
                bytes_.size(), response.body.size(), range->first, range->last);
  EDGELM_TRY(set_size(range->size));
  if (response.body.size() < std::min(wanted, file_bytes_ - bytes_.size()))
    return fail(ErrorCode::kFormat, "{}: asked for {} bytes from {}, got only {}", name_, wanted,
                bytes_.size(), response.body.size());
  bytes_ += response.body;
  return {};
}

Status RangeFile::set_size(std::uint64_t file_bytes) {
  if (known_ && file_bytes != file_bytes_)
    return fail(ErrorCode::kIo, "{}: the file changed while it was read ({} bytes, now {})", name_,
                file_bytes_, file_bytes);
  file_bytes_ = file_bytes;
  known_ = true;
  return {};
}

}  // namespace edgelm::http

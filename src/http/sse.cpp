// The parser of sse.h: whole lines at a time, whatever the pieces were.

#include "http/sse.h"

#include <cstddef>
#include <utility>

namespace edgelm::http {

Status EventParser::push(std::string_view piece,
                         const std::function<bool(const ServerEvent&)>& on_event) {
  while (!piece.empty()) {
    // CR LF is one ending, also when a cut lies between the two.
    if (std::exchange(after_cr_, false) && piece[0] == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const std::size_t end = piece.find_first_of("\r\n");
    const std::string_view part = piece.substr(0, end);
    if (part.size() > max_event_bytes_ - line_.size())
      return fail(ErrorCode::kLimit, "event stream: a line of more than {} bytes",
                  max_event_bytes_);
    line_ += part;
    if (end == std::string_view::npos) return {};
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    if (std::exchange(at_start_, false) && line_.starts_with("\xEF\xBB\xBF")) line_.erase(0, 3);
    if (!line_.empty()) {
      EDGELM_TRY(take_line());
      line_.clear();
      continue;
    }
    // A blank line ends the event; without data there is none.
    const bool complete = std::exchange(has_data_, false);
    const ServerEvent event = std::exchange(event_, {});
    if (!complete) continue;
    if (!on_event({event.type.empty() ? "message" : event.type, event.data})) return {};
  }
  return {};
}

Status EventParser::take_line() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") {
    event_.type = value;
  } else if (field == "data") {
    if (event_.data.size() + value.size() + 1 > max_event_bytes_)
      return fail(ErrorCode::kLimit, "event stream: an event of more than {} bytes",
                  max_event_bytes_);
    if (std::exchange(has_data_, true)) event_.data += '\n';
    event_.data += value;
  }
  // Comments (an empty field name), "id", "retry" and unknown fields: nothing here uses them.
  return {};
}

}  // namespace edgelm::http

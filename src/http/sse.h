#pragma once
// Server-sent events from a byte stream (WHATWG HTML, section 9.2): lines of any ending, comments,
// several data lines joined, pieces cut anywhere. Bounded: a line or event beyond the limit is an
// error, not memory.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace edgelm::http {

struct ServerEvent {
  std::string type;  // "message" when not given
  std::string data;
};

class EventParser {
 public:
  explicit EventParser(std::size_t max_event_bytes = std::size_t{1} << 20)
      : max_event_bytes_(max_event_bytes) {}
  // Calls on_event for every event that `piece` completes; false from it stops, and the rest of the
  // piece is dropped. The same bytes give the same events however they are cut. An event that the
  // stream leaves unfinished is none.
  Status push(std::string_view piece, const std::function<bool(const ServerEvent&)>& on_event);

 private:
  Status take_line();

  std::size_t max_event_bytes_;
  std::string line_;
  ServerEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool at_start_ = true;
};

}  // namespace edgelm::http

// TextStream: UTF-8 repair, then one KMP automaton per stop string. The longest partial match says
// how much text must be held back.

#include "text/stream.h"

#include <algorithm>
#include <utility>

namespace edgelm::text {
namespace {

std::vector<std::uint32_t> kmp_borders(std::string_view text) {
  std::vector<std::uint32_t> borders(text.size(), 0);
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length]) length = borders[length - 1];
    if (text[i] == text[length]) ++length;
    borders[i] = length;
  }
  return borders;
}

}  // namespace

TextStream::TextStream(const std::vector<std::string>& stops, std::size_t max_piece_bytes) {
  std::size_t longest = 0;
  for (const std::string& stop : stops) {
    if (stop.empty()) continue;
    std::string text = repaired_utf8(stop);
    longest = std::max(longest, text.size());
    std::vector<std::uint32_t> borders = kmp_borders(text);
    stops_.push_back({std::move(text), std::move(borders), 0});
  }
  // Every byte may become U+FFFD (3 bytes), and so may a character left over from before.
  const std::size_t bound = longest + 3 * (max_piece_bytes + 1) + 4;
  held_.reserve(bound);
  shown_.reserve(bound);
}

bool TextStream::advance(Stop& stop, char c) {
  while (stop.matched > 0 && stop.text[stop.matched] != c) {
    stop.matched = stop.fallback[stop.matched - 1];
  }
  if (stop.text[stop.matched] == c) ++stop.matched;
  return stop.matched == stop.text.size();
}

void TextStream::take(std::string_view character) {
  for (const char c : character) {
    if (stopped()) return;
    held_ += c;
    for (std::size_t i = 0; i < stops_.size(); ++i) {
      if (!advance(stops_[i], c)) continue;
      if (!stopped() || stops_[i].text.size() > stops_[stop_index_].text.size()) stop_index_ = i;
    }
  }
  if (stopped()) held_.resize(held_.size() - stops_[stop_index_].text.size());
}

// Moves all but the last `keep` bytes from held_ to shown_.
std::string_view TextStream::show(std::size_t keep) {
  const std::size_t count = held_.size() - keep;
  shown_.assign(held_, 0, count);
  held_.erase(0, count);
  return shown_;
}

std::string_view TextStream::push(std::string_view piece) {
  if (stopped()) return {};
  for (const char c : piece) {
    if (stopped()) break;
    repair_.push(static_cast<unsigned char>(c), [this](std::string_view text) { take(text); });
  }
  if (stopped()) return show(0);
  std::size_t keep = 0;
  for (const Stop& stop : stops_) keep = std::max(keep, stop.matched);
  return show(keep);
}

std::string_view TextStream::finish() {
  if (stopped()) return {};
  repair_.finish([this](std::string_view text) { take(text); });
  for (Stop& stop : stops_) stop.matched = 0;
  return show(0);
}

std::string_view TextStream::stop_string() const {
  return stopped() ? std::string_view(stops_[stop_index_].text) : std::string_view();
}

}  // namespace edgelm::text

// Lines of a program as they come.

#include "device/power/command_source.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "device/power/checked_reading.h"
#include "os/child.h"
#include "os/clock.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kMostWaiting = 1 << 20;  // what prints more between two readings is no meter
constexpr double kMostLateS = 5;  // a line's own time and its arrival differ by no more

std::string_view next_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(" \t\r,;"), rest.size());
  const std::size_t end = std::min(rest.find_first_of(" \t\r,;", begin), rest.size());
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

bool number(std::string_view word, double& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size() && std::isfinite(value);
}

class CommandSource final : public EnergySource {
 public:
  CommandSource(const std::string& command, std::vector<std::string> arguments,
                const os::SystemFiles& files, Clock now, double patience_s)
      : arguments_(std::move(arguments)),
        files_(files),
        now_(std::move(now)),
        patience_ns_(static_cast<std::int64_t>(patience_s * 1e9)) {
    info_.id = "command:" + command;
    info_.name = "command " + arguments_.front();
  }

  Status learn() {
    EDGELM_TRY_ASSIGN(const Reading first, read());
    EDGELM_TRY_ASSIGN(const Reading second, read());
    EDGELM_TRY_ASSIGN(const Reading third, read());
    const double interval =
        os::ns_to_s(std::max(second.t_ns - first.t_ns, third.t_ns - second.t_ns));
    // Starting a program costs: twice a second is enough for one that ends.
    info_.period_s = std::clamp(interval, starts_ == 1 ? 0.1 : 0.5, 60.0);
    info_.update_s = info_.period_s;
    info_.min_window_s = 5 * info_.period_s;
    return {};
  }

  const SensorInfo& info() const override { return info_; }

  Result<Reading> read() override {
    const std::int64_t deadline = os::now_ns() + patience_ns_;
    std::optional<Error> wrong;  // of a line that tells nothing: a heading, perhaps
    for (;;) {
      if (!child_) {
        EDGELM_TRY_ASSIGN(os::ChildProgram child, os::ChildProgram::start(files_, arguments_));
        child_ = std::make_unique<os::ChildProgram>(std::move(child));
        waiting_.clear();
        errors_.clear();
        told_ = false;
        ++starts_;
      }
      const bool ended = child_->ended();  // before reading, so that nothing is missed
      EDGELM_TRY_ASSIGN(const std::string line, newest_line(ended));
      if (ended) EDGELM_TRY(check_end());
      if (!line.empty()) {
        Result<Reading> reading = reading_of(line);
        if (reading) {
          told_ = true;
          return reading;
        }
        wrong = std::move(reading).error();
      }
      const std::int64_t left_ns = deadline - os::now_ns();
      if (wrong && (ended || left_ns <= 0)) return fail(std::move(*wrong));
      if (ended && !told_)
        return fail(ErrorCode::kFormat, "{} ended without printing a line", arguments_.front());
      if (ended) continue;  // it has told its line before: once more
      if (left_ns <= 0)
        return fail(ErrorCode::kIo, "{} printed nothing within {:.3g} s", arguments_.front(),
                    os::ns_to_s(patience_ns_));
      // A stream that has ended would wake poll at once: its program's end is waited for.
      std::array<pollfd, 2> streams{{{out_over_ ? -1 : child_->out(), POLLIN, 0},
                                     {err_over_ ? -1 : child_->err(), POLLIN, 0}}};
      const std::int64_t longest_ms = out_over_ ? 2 : 50;
      ::poll(streams.data(), streams.size(),
             static_cast<int>(std::min(left_ns / 1'000'000 + 1, longest_ms)));
    }
  }

 private:
  // The last whole line that has come, "" for none; of an ended program a last line without its end
  // counts too.
  Result<std::string> newest_line(bool ended) {
    bool overflow = false;
    std::string words;
    err_over_ = !os::take_available(child_->err(), kLongestLine, words, overflow) && !overflow;
    if (!words.empty()) errors_ = words.substr(0, std::min<std::size_t>(words.find('\n'), 200));
    overflow = false;
    out_over_ = !os::take_available(child_->out(), kMostWaiting, waiting_, overflow);
    if (ended && !waiting_.empty() && waiting_.back() != '\n') waiting_ += '\n';
    if (overflow) {
      stop();
      return fail(ErrorCode::kLimit, "{} printed more than {} bytes between two readings",
                  arguments_.front(), kMostWaiting);
    }
    const std::size_t end = waiting_.rfind('\n');
    if (end == std::string::npos) {
      if (waiting_.size() <= kLongestLine) return std::string();
      stop();
      return fail(ErrorCode::kLimit, "{} printed a line of more than {} bytes", arguments_.front(),
                  kLongestLine);
    }
    std::string_view whole = std::string_view(waiting_).substr(0, end);
    while (!whole.empty() && (whole.back() == '\n' || whole.back() == '\r' || whole.back() == ' '))
      whole.remove_suffix(1);
    const std::size_t before = whole.rfind('\n');
    std::string line(before == std::string_view::npos ? whole : whole.substr(before + 1));
    waiting_.erase(0, end + 1);
    return line;
  }

  Status check_end() {
    const int status = child_->finish();
    stop();
    if (status == 0) return {};
    return fail(ErrorCode::kIo, "{} ended with status {}{}{}", arguments_.front(), status,
                errors_.empty() ? "" : ": ", errors_);
  }

  void stop() {
    child_.reset();
    out_over_ = false;
    start_ = std::nullopt;
  }

  Result<Reading> reading_of(const std::string& text) {
    const std::int64_t arrival = now_();
    EDGELM_TRY_ASSIGN(const PowerLine line, parse_power_line(text));
    if (!kind_known_) info_.counter = line.joules;
    if (std::exchange(kind_known_, true) && line.joules != info_.counter)
      return fail(ErrorCode::kFormat, "{} printed watts and joules in turn", arguments_.front());
    std::int64_t t = arrival;
    if (line.t_s) {
      if (!start_) start_ = Start{arrival, *line.t_s};
      const double since = *line.t_s - start_->line_s;
      const double late = os::ns_to_s(arrival - start_->arrival) - since;
      if (!(std::abs(late) <= kMostLateS))
        return fail(ErrorCode::kFormat, "{}: a line of time {} came {:.3g} s {}",
                    arguments_.front(), *line.t_s, std::abs(late), late > 0 ? "late" : "early");
      t = start_->arrival + static_cast<std::int64_t>(since * 1e9);
    }
    double value = line.value;
    bool restart = false;
    if (info_.counter) {
      restart = last_joules_ && value < *last_joules_;  // its count began again
      if (last_joules_ && !restart) total_ += value - *last_joules_;
      last_joules_ = value;
      value = total_;
    }
    return Reading{t, value, restart};
  }

  struct Start {
    std::int64_t arrival;
    double line_s;
  };

  std::vector<std::string> arguments_;
  const os::SystemFiles& files_;
  Clock now_;
  std::int64_t patience_ns_;
  SensorInfo info_;
  std::unique_ptr<os::ChildProgram> child_;
  std::string waiting_;  // printed, not yet a whole line
  std::string errors_;   // first line of its last complaint
  int starts_ = 0;
  bool told_ = false;  // a line since it was started
  bool out_over_ = false;
  bool err_over_ = false;
  bool kind_known_ = false;
  std::optional<Start> start_;
  std::optional<double> last_joules_;
  double total_ = 0;
};

}  // namespace

Result<PowerLine> parse_power_line(std::string_view text) {
  PowerLine line;
  std::string_view rest = text;
  std::array<std::string_view, 4> words{};
  std::size_t n = 0;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest))
    words[std::min(n++, words.size() - 1)] = word;
  double first = 0;
  double second = 0;
  const bool one = n >= 1 && number(words[0], first);
  const bool two = one && n >= 2 && number(words[1], second);
  const std::string_view unit = n == (two ? 3U : 2U) ? words[n - 1] : "";
  const bool known =
      unit.empty() ? n == (two ? 2U : 1U) : unit == "W" || unit == "mW" || unit == "J";
  if (!one || !known)
    return fail(ErrorCode::kFormat, "expected WATTS or SECONDS WATTS (or with W, mW, J), got '{}'",
                text.substr(0, 60));
  if (two) line.t_s = first;
  line.joules = unit == "J";
  line.value = (two ? second : first) * (unit == "mW" ? 1e-3 : 1);
  if (line.joules) {
    if (line.value < 0) return fail(ErrorCode::kFormat, "{} J is no energy", line.value);
    return line;
  }
  EDGELM_TRY(plausible_watts(line.value, "the program"));
  return line;
}

Result<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return fail(ErrorCode::kUsage, "command '{}': a {} without its end", text, quote);
  if (in_word) words.push_back(word);
  if (words.empty()) return fail(ErrorCode::kUsage, "an empty command");
  return words;
}

Result<std::unique_ptr<EnergySource>> open_command(const std::string& command,
                                                   const os::SystemFiles& files, Clock now,
                                                   double patience_s) {
  EDGELM_TRY_ASSIGN(std::vector<std::string> arguments, split_command(command));
  auto source = std::make_unique<CommandSource>(command, std::move(arguments), files,
                                                std::move(now), patience_s);
  EDGELM_TRY(source->learn());
  return source;
}

}  // namespace edgelm::device

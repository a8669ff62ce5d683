#pragma once
// The few notations in which a system's files are written: lists of processors, "key : value"
// lines, sizes with a unit; and texts and reasons made fit for a passport. Used by the parts of
// describe.cpp; everything is bounded, because a file may hold anything.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "os/system_files.h"

namespace edgelm::device {

constexpr std::uint32_t kMaxCpus = 4096;

std::string_view trimmed(std::string_view text);
// Views into `text`, which must outlive them: no temporaries. NUL parts words, too (device trees).
std::vector<std::string_view> lines_of(std::string_view text);
std::vector<std::string_view> words_of(std::string_view text);
std::vector<std::string_view> lines_of(std::string&& text) = delete;
std::vector<std::string_view> words_of(std::string&& text) = delete;

// Decimal digits and nothing else.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
// "0-3,8" -> 0 1 2 3 8; nothing when it is something else or names a processor beyond kMaxCpus.
std::optional<std::vector<std::uint32_t>> cpus_of_list(std::string_view text);
// "512K", "12M", "65536".
std::optional<std::uint64_t> parse_cache_size(std::string_view text);
// "MemTotal:    123 kB" -> bytes, of /proc/meminfo and its like.
std::optional<std::uint64_t> kilobytes_at(std::string_view text, std::string_view key);
// Of the first line "key <separator> value", trimmed; "" when there is none.
std::string_view value_at(std::string_view text, std::string_view key, char separator);
std::string_view value_at(std::string&& text, std::string_view key, char separator) = delete;

// One line of a file, in printable characters, at most 120 bytes; the reason when it cannot be
// read or is empty.
Known<std::string> text_line(const os::SystemFiles& files, const std::string& path);
// The same as a number between the limits.
Known<double> number_line(const os::SystemFiles& files, const std::string& path, double low,
                          double high);
// "/sys/...: no permission", without the root, so that a record does not depend on where a recorded
// machine lies.
std::string reason_of(const Error& error, const std::string& path);

}  // namespace edgelm::device

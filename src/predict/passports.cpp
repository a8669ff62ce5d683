// Parses the embedded passports once, and compares names loosely.

#include "predict/passports.h"

#include <cctype>

#include "device/passport_json.h"
#include "os/file.h"
#include "predict/embedded.h"

namespace edgelm::predict {
namespace {

constexpr std::uint64_t kMaxPassportBytes = 4U << 20U;

// Letters and digits, small; "rpi" and "pi" are short for Raspberry Pi.
std::string key_of(std::string_view name) {
  std::string key;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (key.starts_with("rpi")) return "raspberry" + key.substr(1);
  if (key.starts_with("pi")) return "raspberry" + key;
  return key;
}

std::string names() {
  std::string list;
  for (const device::Passport& passport : shipped_passports()) {
    if (!list.empty()) list += ", ";
    list += passport.name;
  }
  return list;
}

}  // namespace

const std::vector<device::Passport>& shipped_passports() {
  static const std::vector<device::Passport> kPassports = [] {
    std::vector<device::Passport> all;
    for (const EmbeddedFile& file : embedded_passports())
      // Part of the program: a test holds that each parses.
      if (auto passport = device::parse_passport(file.text, file.name))
        all.push_back(std::move(*passport));
    return all;
  }();
  return kPassports;
}

Result<device::Passport> find_passport(std::string_view name) {
  const std::string wanted = key_of(name);
  std::vector<const device::Passport*> matches;
  for (const device::Passport& passport : shipped_passports()) {
    const std::string key = key_of(passport.name);
    if (key == wanted) return passport;
    if (!wanted.empty() && key.find(wanted) != std::string::npos) matches.push_back(&passport);
  }
  if (matches.size() == 1) return *matches.front();
  if (matches.empty())
    return fail(ErrorCode::kNotFound, "no device '{:.64}', and no such file; there are {}", name,
                names());
  std::string list;
  for (const device::Passport* match : matches) {
    if (!list.empty()) list += ", ";
    list += match->name;
  }
  return fail(ErrorCode::kUsage, "'{:.64}' may be {}; name one", name, list);
}

Result<device::Passport> load_passport(const std::string& name_or_path) {
  if (!os::file_exists(name_or_path)) return find_passport(name_or_path);
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(name_or_path, kMaxPassportBytes));
  return device::parse_passport(text, name_or_path);
}

}  // namespace edgelm::predict

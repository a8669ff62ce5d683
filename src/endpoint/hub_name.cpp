// Names of models on a hub, and which file of a repository one means. Touches no network; see
// hub.h.

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "endpoint/failure.h"
#include "endpoint/hub.h"
#include "formats/gguf_split.h"
#include "http/message.h"

namespace edgelm::endpoint {
namespace {

constexpr std::string_view kDefaultQuant = "Q4_K_M";
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::string_view kPrefixes[] = {"hf://", "hf:", "hf.co/", "huggingface.co/"};

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Of an owner and of a repository.
bool valid_part(std::string_view part) {
  return !part.empty() && part.size() <= 128 && part[0] != '.' &&
         std::all_of(part.begin(), part.end(),
                     [](char c) { return is_word(c) || c == '.' || c == '-' || c == '_'; });
}

bool valid_path(std::string_view path) {
  if (path.empty() || path.starts_with('/') || path.ends_with('/')) return false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::string_view segment = path.substr(at, path.find('/', at) - at);
    if (segment.empty() || segment == "." || segment == "..") return false;
    at += segment.size() + 1;
  }
  return std::all_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte != 0x7f;
  });
}

// Of git's names (git-check-ref-format), those that need no care in a URL or on a terminal.
bool valid_revision(std::string_view revision) {
  if (revision.empty() || revision.size() > 256 || revision.find("..") != std::string_view::npos)
    return false;
  for (std::size_t at = 0; at <= revision.size();) {
    const std::string_view part = revision.substr(at, revision.find('/', at) - at);
    if (!valid_part(part) || part[0] == '-' || part.ends_with('.') || part.ends_with(".lock"))
      return false;
    at += part.size() + 1;
  }
  return true;
}

// How long the revision at the beginning of `text` is: up to the first '/', which
// "refs/pr/N" and "refs/convert/NAME" may contain.
std::size_t revision_size(std::string_view text) {
  std::size_t end = 0;
  const bool ref = text.starts_with("refs/pr/") || text.starts_with("refs/convert/");
  for (int slashes = ref ? 2 : 0; slashes > 0; --slashes) end = text.find('/', end) + 1;
  return std::min(text.find('/', end), text.size());
}

std::string with_slashes(std::string_view revision) {
  std::string text(revision);
  for (std::size_t at = 0; (at = http::lower_case(text).find("%2f", at)) != std::string::npos;)
    text.replace(at, 3, "/");
  return text;
}

bool is_gguf(std::string_view path) { return http::lower_case(path).ends_with(".gguf"); }

// Whether `path` names the quantization: as a word of its own, so that Q4_K is not Q4_K_M, and
// Q4_XS is not IQ4_XS.
bool has_quant(std::string_view path, std::string_view quant) {
  const std::string text = http::lower_case(path);
  const std::string word = http::lower_case(quant);
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
    const char after = at + word.size() < text.size() ? text[at + word.size()] : '.';
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (begins && !is_word(after) && after != '_') return true;
  }
  return false;
}

// Files that are no model of their own: vision projectors, importance matrices, later parts.
bool stands_alone(const HubFile& file) {
  const std::string name = http::lower_case(file.path.substr(file.path.rfind('/') + 1));
  const auto split = formats::parse_split_name(file.path);
  return name.find("mmproj") == std::string::npos && name.find("imatrix") == std::string::npos &&
         (!split || split->no == 1);
}

std::string list_of(const std::vector<HubFile>& files) {
  constexpr std::size_t kShown = 30;
  std::string text;
  for (std::size_t i = 0; i < std::min(files.size(), kShown); ++i) {
    text += i == 0 ? "" : ", ";
    text += printable_line(files[i].path, 200);
  }
  if (files.size() > kShown) text += fmt::format(", and {} more", files.size() - kShown);
  return text;
}

}  // namespace

bool has_hub_prefix(std::string_view name) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

std::string repository_text(const HubName& name) {
  return fmt::format("{}/{}{}{}", name.owner, name.repo, name.revision.empty() ? "" : "@",
                     name.revision);
}

Result<HubName> parse_hub_name(std::string_view name) {
  std::string_view rest = name;
  for (const std::string_view prefix : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    break;
  }
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kUsage,
                "'{}': {}; a model on a hub is named OWNER/REPO, OWNER/REPO:QUANT or "
                "OWNER/REPO/FILE.gguf, with @REVISION after REPO for another one than main",
                printable_line(name, 200), why);
  };
  if (rest.size() > kMaxNameBytes) return refuse("too long");
  HubName result;
  const std::size_t colon = rest.find(':');
  std::string_view selector;
  if (colon != std::string_view::npos) {
    selector = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (selector.empty()) return refuse("nothing after ':'");
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return refuse("no '/' between owner and repository");
  result.owner = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  const std::size_t at = rest.find_first_of("/@");
  result.repo = rest.substr(0, at);
  std::size_t end = at;
  if (at != std::string_view::npos && rest[at] == '@') {
    const std::string_view tail = rest.substr(at + 1);
    result.revision = with_slashes(tail.substr(0, revision_size(tail)));
    if (!valid_revision(result.revision))
      return refuse("no branch, tag or commit after '@' (a '/' in it is written %2F)");
    end = rest.find('/', at + 1 + revision_size(tail));
  }
  if (!valid_part(result.owner) || !valid_part(result.repo))
    return refuse("not an owner and a repository");
  if (end != std::string_view::npos) {
    result.file = rest.substr(end + 1);
    if (!selector.empty()) return refuse("both a path and ':'");
  } else if (is_gguf(selector)) {
    result.file = selector;
  } else {
    result.quant = selector;
    if (selector.find('@') != std::string_view::npos) return refuse("'@' after ':'");
    if (!selector.empty() && !valid_part(selector)) return refuse("no quantization after ':'");
  }
  if ((end != std::string_view::npos || !result.file.empty()) &&
      (!valid_path(result.file) || !is_gguf(result.file)))
    return refuse("not the path of a .gguf file");
  return result;
}

Result<HubFile> choose_file(const std::vector<HubFile>& files, const HubName& name) {
  const std::string where = repository_text(name);
  if (files.empty())
    return fail(ErrorCode::kNotFound,
                "{}: no GGUF file in this repository; look for one whose name ends in -GGUF",
                where);
  if (!name.file.empty()) {
    for (const HubFile& file : files) {
      if (file.path == name.file) return file;
    }
    return fail(ErrorCode::kNotFound, "{}: no file '{}'; there is {}", where, name.file,
                list_of(files));
  }
  std::vector<HubFile> models;
  std::copy_if(files.begin(), files.end(), std::back_inserter(models), stands_alone);
  if (name.quant.empty() && models.size() == 1) return models.front();
  const std::string_view quant = name.quant.empty() ? kDefaultQuant : std::string_view(name.quant);
  std::vector<HubFile> fitting;
  std::copy_if(models.begin(), models.end(), std::back_inserter(fitting),
               [&](const HubFile& file) { return has_quant(file.path, quant); });
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty())
    return fail(name.quant.empty() ? ErrorCode::kUsage : ErrorCode::kNotFound,
                "{}: no file of {}: name one of {}", where, quant, list_of(models));
  return fail(ErrorCode::kUsage, "{}: {} files of {}: name one of {}", where, fitting.size(), quant,
              list_of(fitting));
}

}  // namespace edgelm::endpoint

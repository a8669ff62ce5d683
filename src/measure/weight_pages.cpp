// mincore, posix_fadvise, /proc/self/maps.

#include "measure/weight_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "os/descriptor.h"
#include "os/file.h"

namespace edgelm::measure {
namespace {

constexpr double kCold = 0.05;

std::uintptr_t address_of(const std::byte* data) { return reinterpret_cast<std::uintptr_t>(data); }

std::size_t page_bytes() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

struct PageCount {
  std::size_t resident = 0;
  std::size_t all = 0;
};

// Adds the pages of [begin, end); false when the system does not tell.
bool count_pages(std::uintptr_t begin, std::uintptr_t end, PageCount& count) {
  const std::size_t page = page_bytes();
  begin = begin / page * page;
  end = (end + page - 1) / page * page;
  constexpr std::size_t kAtOnce = 1 << 16;
  std::vector<unsigned char> flags(kAtOnce);
  for (std::uintptr_t at = begin; at < end; at += kAtOnce * page) {
    const std::size_t n = std::min<std::size_t>(kAtOnce, (end - at) / page);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a page boundary below a pointer
    if (::mincore(reinterpret_cast<void*>(at), n * page, flags.data()) != 0) return false;
    count.all += n;
    count.resident += static_cast<std::size_t>(
        std::count_if(flags.begin(), flags.begin() + static_cast<std::ptrdiff_t>(n),
                      [](unsigned char flag) { return (flag & 1) != 0; }));
  }
  return true;
}

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  std::string path;
};

// Lines "begin-end perms offset device inode   path"; those with a file that still has its name.
std::vector<Mapping> file_mappings(const os::SystemFiles& files) {
  std::vector<Mapping> mappings;
  const Result<std::string> text = files.read("/proc/self/maps");
  if (!text) return mappings;
  const std::string program = os::executable_path();
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    Mapping mapping;
    const char* const last = line.data() + line.size();
    const auto begin = std::from_chars(line.data(), last, mapping.begin, 16);
    if (begin.ec != std::errc() || begin.ptr == last || *begin.ptr != '-') continue;
    if (std::from_chars(begin.ptr + 1, last, mapping.end, 16).ec != std::errc()) continue;
    const std::size_t path = line.find('/');
    if (path == std::string_view::npos || line.ends_with(" (deleted)")) continue;
    mapping.path = line.substr(path);
    if (mapping.path != program) mappings.push_back(std::move(mapping));
  }
  return mappings;
}

Status drop_one(const std::string& path) {
  const os::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return fail(ErrorCode::kIo, "{}: {}", path, std::strerror(errno));
  ::fdatasync(file.get());  // pages that are not yet written cannot be dropped
  const int error = ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) return fail(ErrorCode::kIo, "{}: {}", path, std::strerror(error));
  return {};
}

Status check_cold(std::span<const std::string> paths) {
  for (const std::string& path : paths) {
    const Known<double> share = cached_share(path);
    if (!share) return fail(ErrorCode::kIo, "{}: {}", path, share.error().reason);
    if (*share >= kCold)
      return fail(ErrorCode::kIo, "{:.0f} % of {} stayed in the page cache", 100 * *share, path);
  }
  return {};
}

}  // namespace

std::vector<PageRange> weight_ranges(const plan::Plan& plan, const backend::PackedWeights* packed) {
  std::vector<PageRange> ranges;
  ranges.reserve(plan.weights.size());
  for (std::size_t id = 0; id < plan.weights.size(); ++id) {
    if (packed != nullptr && packed->bytes() > 0) {
      const auto& matrix = (*packed)[static_cast<plan::WeightId>(id)];
      if (matrix.panels != nullptr) {
        ranges.push_back({matrix.panels, matrix.panel_bytes});
        continue;
      }
    }
    ranges.push_back({plan.weights[id].data.data(), plan.weights[id].data.size()});
  }
  return ranges;
}

Known<double> resident_share(std::span<const PageRange> ranges) {
  PageCount count;
  for (const PageRange& range : ranges)
    if (range.bytes > 0 &&
        !count_pages(address_of(range.data), address_of(range.data) + range.bytes, count))
      return not_available(std::string("mincore: ") + std::strerror(errno));
  if (count.all == 0) return not_available("no weights");
  return static_cast<double>(count.resident) / static_cast<double>(count.all);
}

std::vector<std::string> backing_files(const plan::Plan& plan, std::span<const PageRange> ranges,
                                       const os::SystemFiles& files) {
  const std::vector<Mapping> mappings = file_mappings(files);
  std::vector<std::string> paths;
  const auto add = [&](const std::byte* data) {
    for (const Mapping& mapping : mappings) {
      if (address_of(data) < mapping.begin || address_of(data) >= mapping.end) continue;
      if (std::find(paths.begin(), paths.end(), mapping.path) == paths.end())
        paths.push_back(mapping.path);
    }
  };
  for (const PageRange& range : ranges) add(range.data);
  for (const tensor::TensorView& weight : plan.weights) add(weight.data.data());
  return paths;
}

Known<double> cached_share(const std::string& path) {
  auto map = os::MappedFile::open(path);
  if (!map) return not_available(map.error().message);
  if (map->bytes().empty()) return 0.0;
  PageCount count;
  const std::uintptr_t begin = address_of(map->bytes().data());
  if (!count_pages(begin, begin + map->bytes().size(), count))
    return not_available(std::string("mincore: ") + std::strerror(errno));
  return static_cast<double>(count.resident) / static_cast<double>(count.all);
}

Status drop_from_page_cache(std::span<const std::string> paths, const os::SystemFiles& files) {
  for (const std::string& path : paths) EDGELM_TRY(drop_one(path));
  Status cold = check_cold(paths);
  if (cold) return {};
  // Pages that another process maps stay; the whole cache may go only by root's word.
  if (!files.write("/proc/sys/vm/drop_caches", "1")) return cold;
  return check_cold(paths);
}

}  // namespace edgelm::measure

// Finding, checking, listing.

#include "cache/weight_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <system_error>
#include <utility>

#include "base/checked.h"
#include "base/hash.h"
#include "cache/folder.h"
#include "cache/header.h"
#include "cache/store_job.h"

namespace edgelm::cache {
namespace {

std::string name_of(const Key& key) {
  Hash64 hash;
  hash.update_value(key.layout_version);
  hash.update_value(key.table_hash);
  hash.update(as_byte_span(key.source));
  return fmt::format("{:016x}{}", hash.digest(), kSuffix);
}

bool is_key_of(const Key& key, const Header& header) {
  return header.source == key.source && header.layout_version == key.layout_version &&
         header.table_hash == key.table_hash;
}

bool is_settled(const os::Descriptor& file, const Header& header) {
  std::byte mark[sizeof(std::uint64_t)] = {};
  return ::pread(file.get(), mark, sizeof mark, kMarkOffset) == sizeof mark &&
         load_le<std::uint64_t>(mark) == settled_mark(header);
}

// Sees what an earlier program wrote to the disk, and marks it so.
std::jthread settle_later(os::Descriptor file, Header header) {
  try {
    return std::jthread(
        [file = std::move(file), header = std::move(header)](const std::stop_token& stop) {
          const std::uint64_t file_bytes = kImageOffset + header.image_bytes;
          if (settle(file.get(), file_bytes, [&] { return stop.stop_requested(); }))
            static_cast<void>(write_mark(file.get(), header));
        });
  } catch (const std::system_error&) {
    return {};  // the next start will verify it again
  }
}

Result<os::MappedFile> map_image(const os::Descriptor& file, const Header& header,
                                 const std::string& name) {
  return os::MappedFile::of_range(file.get(), name, kImageOffset, header.image_bytes);
}

}  // namespace

std::optional<Image> WeightCache::find(const Key& key, std::uint64_t image_bytes) const {
  if (key.source.empty() || options_.folder.empty() || options_.limit_bytes == 0)
    return std::nullopt;
  const auto folder = Folder::open(options_.folder, false);
  if (!folder) return std::nullopt;
  const std::string name = name_of(key);
  auto file = folder->open_file(name);
  if (!file) return std::nullopt;
  const auto header = folder->read_header(*file, name);
  if (!header) {
    // By its name and its owner it is ours, and nobody will ever read it.
    if (header.error().code == ErrorCode::kFormat) static_cast<void>(folder->remove(name));
    return std::nullopt;
  }
  if (!is_key_of(key, *header) || header->image_bytes != image_bytes) return std::nullopt;
  auto map = map_image(*file, *header, name);
  if (!map) return std::nullopt;
  ::futimens(file->get(), nullptr);  // used now
  if (is_settled(*file, *header)) return Image(*std::move(map));
  if (hash64(map->bytes()) != header->image_hash) {
    static_cast<void>(folder->remove(name));
    return std::nullopt;
  }
  auto writable = folder->open_file(name, true);
  struct stat read_info {};
  struct stat write_info {};
  if (!writable || ::fstat(file->get(), &read_info) != 0 ||
      ::fstat(writable->get(), &write_info) != 0 || read_info.st_ino != write_info.st_ino)
    return Image(*std::move(map));
  return Image(*std::move(map), settle_later(*std::move(writable), *header));
}

Store WeightCache::store(const Key& key, const std::string& label,
                         std::shared_ptr<const std::byte> image, std::uint64_t image_bytes,
                         std::uint64_t source_hash) const {
  const auto skipped = [](std::string reason) {
    return Store(StoreOutcome{StoreState::kSkipped, std::move(reason)});
  };
  if (key.source.empty()) return skipped("the model is not a file");
  if (options_.folder.empty()) return skipped("there is no folder for it");
  if (options_.limit_bytes == 0) return skipped("the cache's limit is 0");
  if (image_bytes == 0 || image_bytes < options_.min_image_bytes)
    return skipped("packing takes less time than reading would");
  StorePlan plan{.folder = options_.folder,
                 .name = name_of(key),
                 .header = {.image_bytes = image_bytes,
                            .source_hash = source_hash,
                            .table_hash = key.table_hash,
                            .layout_version = key.layout_version,
                            .built_s = ::time(nullptr),
                            .source = key.source,
                            .label = label,
                            .made_by = EDGELM_VERSION},
                 .image = std::move(image),
                 .limit_bytes = options_.limit_bytes,
                 .exit_seconds = options_.exit_seconds,
                 .notice = options_.notice};
  return Store(std::make_unique<Store::Job>(std::move(plan)));
}

std::uint64_t WeightCache::limit_bytes() const {
  const auto folder = Folder::open(options_.folder, false);
  return folder ? limit_of(options_.limit_bytes, *folder)
                : options_.limit_bytes.value_or(kMaxLimitBytes);
}

std::vector<Entry> WeightCache::entries() const {
  std::vector<Entry> entries;
  const auto folder = Folder::open(options_.folder, false);
  if (!folder) return entries;
  folder->remove_orphans();
  const std::vector<File> files = folder->files();
  entries.reserve(files.size());
  for (const File& each : files) {
    Entry entry{.id = each.name.substr(0, each.name.size() - kSuffix.size()),
                .file_bytes = each.bytes,
                .used_s = each.used_ns / 1'000'000'000};
    const auto file = folder->open_file(each.name);
    const auto header = file ? folder->read_header(*file, each.name) : fail(file.error());
    if (header) {
      entry.label = header->label;
      entry.made_by = header->made_by;
      entry.built_s = header->built_s;
    } else {
      entry.problem = header.error().message;
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Status WeightCache::verify(const Entry& entry) const {
  const std::string name = entry.id + std::string(kSuffix);
  EDGELM_TRY_ASSIGN(const Folder folder, Folder::open(options_.folder, false));
  EDGELM_TRY_ASSIGN(const os::Descriptor file, folder.open_file(name));
  EDGELM_TRY_ASSIGN(const Header header, folder.read_header(file, name));
  EDGELM_TRY_ASSIGN(const os::MappedFile map, map_image(file, header, name));
  const std::uint64_t hash = hash64(map.bytes());
  if (hash != header.image_hash)
    return fail(ErrorCode::kFormat, "{}/{}: the image hashes to {:016x}, expected {:016x}",
                folder.path(), name, hash, header.image_hash);
  return {};
}

Status WeightCache::remove(const Entry& entry) const {
  EDGELM_TRY_ASSIGN(const Folder folder, Folder::open(options_.folder, false));
  return folder.remove(entry.id + std::string(kSuffix));
}

}  // namespace edgelm::cache

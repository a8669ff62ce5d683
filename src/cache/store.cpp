// Writing an image: temporary file, large writes, sync, rename.

#include "cache/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "base/hash.h"
#include "cache/store_job.h"
#include "cache/weight_cache.h"
#include "os/clock.h"

namespace edgelm::cache {
namespace {

// Large enough for the system to use its largest pages, small enough to stop soon.
constexpr std::uint64_t kBlockBytes = 8ULL << 20;
// Written and not yet on the disk.
constexpr std::uint64_t kInFlightBytes = 4 * kBlockBytes;

tl::unexpected<Error> system_error(const char* action) {
  return fail(ErrorCode::kIo, "cannot {}: {}", action, std::strerror(errno));
}

Status write_at(int file, Bytes bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return system_error("write");
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

// Space for all of it, before anything is written: a disk that would fill up is left as it is.
Status reserve_space(int file, std::uint64_t bytes) {
  rlimit limit{};
  // Beyond this limit a write does not fail: it ends the program.
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < bytes)
    return fail(ErrorCode::kIo, "files may not be larger than {} bytes (ulimit -f)",
                limit.rlim_cur);
  int done = 0;
  do {
    done = ::fallocate(file, 0, 0, static_cast<off_t>(bytes));
  } while (done != 0 && errno == EINTR);
  if (done != 0 && errno != EOPNOTSUPP) return system_error("reserve space");
  return {};
}

struct Temporary {
  const Folder& folder;
  std::string name;
  os::Descriptor file;
  bool keep = false;
  ~Temporary() {
    if (!keep && file.open()) static_cast<void>(folder.remove(name));
  }
};

Status create(Temporary& temporary, const std::string& stem) {
  static std::atomic<std::uint32_t> counter = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary.name = fmt::format("{}.{}-{}{}", stem, ::getpid(), counter++, kUnfinishedSuffix);
    temporary.file =
        os::Descriptor(::openat(temporary.folder.descriptor(), temporary.name.c_str(),
                                O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (temporary.file.open()) {
      ::flock(temporary.file.get(), LOCK_EX | LOCK_NB);  // see Folder::remove_orphans
      return {};
    }
    if (errno != EEXIST) break;
  }
  return system_error("make a file");
}

// What was made of the same file before it changed will never be asked for again.
void remove_superseded(const Folder& folder, const StorePlan& plan) {
  if (plan.header.label.empty()) return;
  for (const File& each : folder.files()) {
    const auto file = folder.open_file(each.name);
    const auto header = file ? folder.read_header(*file, each.name) : fail(file.error());
    if (header && header->label == plan.header.label && header->source != plan.header.source)
      static_cast<void>(folder.remove(each.name));
  }
}

}  // namespace

std::uint64_t limit_of(const std::optional<std::uint64_t>& given, const Folder& folder) {
  if (given) return *given;
  std::uint64_t room = folder.free_bytes();
  for (const File& file : folder.files()) room += file.bytes;
  return std::min(kMaxLimitBytes, room / 4);
}

Status settle(int file, std::uint64_t file_bytes, const std::function<bool()>& stop) {
  constexpr unsigned kWait =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  for (std::uint64_t at = 0; at < file_bytes; at += kBlockBytes) {
    if (stop()) return fail(ErrorCode::kIo, "interrupted");
    ::sync_file_range(file, static_cast<off_t>(at), static_cast<off_t>(kBlockBytes), kWait);
  }
  if (stop()) return fail(ErrorCode::kIo, "interrupted");
  if (::fsync(file) != 0) return system_error("sync");
  return {};
}

Status write_mark(int file, const Header& header) {
  ByteWriter mark;
  mark.write(settled_mark(header));
  return write_at(file, as_byte_span(mark.bytes()), kMarkOffset);
}

Store::Job::Job(StorePlan what) : plan_(std::move(what)) {
  // The thread takes no signals: they are for those who handle them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    outcome_ = {StoreState::kFailed, fmt::format("cannot start a thread: {}", error.what())};
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Store::Job::~Job() {
  hurry_since_ns_ = std::max<std::int64_t>(os::now_ns(), 1);
  wait();
}

StoreOutcome Store::Job::outcome() {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

StoreOutcome Store::Job::wait() {
  if (thread_.joinable()) thread_.join();
  return outcome();
}

void Store::Job::run() {
  ::setpriority(PRIO_PROCESS, 0, 19);  // Linux: of this thread alone. Decoding comes first.
  Result<StoreOutcome> result = write_all();
  if (!result)
    result = StoreOutcome{StoreState::kFailed,
                          fmt::format("{}: {}", plan_.folder, result.error().message)};
  plan_.image.reset();
  if (result->state == StoreState::kFailed && hurry_since_ns_ == 0 && plan_.notice)
    plan_.notice("packed weights are not kept for the next start: " + result->reason);
  const std::lock_guard lock(mutex_);
  outcome_ = *std::move(result);
}

Result<StoreOutcome> Store::Job::write_all() {
  EDGELM_TRY_ASSIGN(const Folder folder, Folder::open(plan_.folder, true));
  folder.remove_orphans();
  const std::uint64_t file_bytes = kImageOffset + plan_.header.image_bytes;
  const std::uint64_t limit = limit_of(plan_.limit_bytes, folder);
  if (file_bytes > limit)
    return StoreOutcome{
        StoreState::kSkipped,
        fmt::format("{} bytes are more than the cache's limit of {}", file_bytes, limit)};
  remove_superseded(folder, plan_);
  folder.evict(limit - file_bytes);
  Temporary temporary{.folder = folder, .name = {}, .file = {}};
  EDGELM_TRY(create(temporary, plan_.name));
  const int file = temporary.file.get();
  EDGELM_TRY(reserve_space(file, file_bytes));
  EDGELM_TRY(write_image(file));
  EDGELM_TRY(finish(folder, file, temporary.name));
  temporary.keep = true;
  folder.evict(limit, plan_.name);  // another process may have stored meanwhile
  return StoreOutcome{StoreState::kStored};
}

Status Store::Job::write_image(int file) {
  const Bytes image(plan_.image.get(), static_cast<std::size_t>(plan_.header.image_bytes));
  Hash64 hash;
  for (std::uint64_t at = 0; at < image.size(); at += kBlockBytes) {
    EDGELM_TRY(may_go_on(at));
    const Bytes block = image.subspan(at, std::min<std::size_t>(kBlockBytes, image.size() - at));
    hash.update(block);
    EDGELM_TRY(write_at(file, block, kImageOffset + at));
    if (hurry_since_ns_ != 0) continue;
    ::sync_file_range(file, static_cast<off_t>(kImageOffset + at), static_cast<off_t>(block.size()),
                      SYNC_FILE_RANGE_WRITE);
    if (at < kInFlightBytes) continue;
    ::sync_file_range(
        file, static_cast<off_t>(kImageOffset + at - kInFlightBytes),
        static_cast<off_t>(kBlockBytes),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  plan_.header.image_hash = hash.digest();
  return {};
}

Status Store::Job::finish(const Folder& folder, int file, const std::string& temporary) {
  EDGELM_TRY_ASSIGN(const std::string header, encode_header(plan_.header));
  EDGELM_TRY(write_at(file, as_byte_span(header), 0));
  if (hurry_since_ns_ == 0) {
    EDGELM_TRY(settle(file, kImageOffset + plan_.header.image_bytes, [] { return false; }));
    EDGELM_TRY(write_mark(file, plan_.header));
  }
  if (::renameat(folder.descriptor(), temporary.c_str(), folder.descriptor(), plan_.name.c_str()) !=
      0)
    return system_error("rename the finished file");
  if (hurry_since_ns_ == 0) ::fsync(folder.descriptor());
  return {};
}

// In a hurry, and the time is up or will not do at the speed seen since?
Status Store::Job::may_go_on(std::uint64_t written_bytes) {
  constexpr double kTrialSeconds = 0.25;
  const std::int64_t since = hurry_since_ns_;
  if (since == 0) return {};
  const auto written = static_cast<std::int64_t>(written_bytes);
  if (written_before_hurry_ < 0) written_before_hurry_ = written;
  const double seconds = os::ns_to_s(os::now_ns() - since);
  const auto done = static_cast<double>(written - written_before_hurry_);
  const auto left = static_cast<double>(plan_.header.image_bytes) - static_cast<double>(written);
  if (seconds > plan_.exit_seconds ||
      (seconds > kTrialSeconds && done / seconds * (plan_.exit_seconds - seconds) < left))
    return fail(ErrorCode::kIo, "the program ended before all was written");
  return {};
}

Store::Store() = default;
Store::Store(std::unique_ptr<Job> job) : job_(std::move(job)) {}
Store::Store(StoreOutcome outcome) : outcome_(std::move(outcome)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

StoreOutcome Store::outcome() const { return job_ ? job_->outcome() : outcome_; }
StoreOutcome Store::wait() { return job_ ? job_->wait() : outcome_; }

}  // namespace edgelm::cache

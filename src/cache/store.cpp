// Writing an image: temporary file, large writes, sync, rename.

#include "cache/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <system_error>

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
    thread_ = std::thread([this] { run(Who::kThread); });
  } catch (const std::system_error& error) {
    outcome_ = {StoreState::kFailed, fmt::format("cannot start a thread: {}", error.what())};
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Store::Job::~Job() {
  hurry_since_ns_ = std::max<std::int64_t>(os::now_ns(), 1);
  if (wait().state == StoreState::kWriting) run(Who::kEnd);
}

StoreOutcome Store::Job::outcome() {
  const std::lock_guard lock(mutex_);
  return outcome_;
}

StoreOutcome Store::Job::wait() {
  if (thread_.joinable()) thread_.join();
  return outcome();
}

void Store::Job::run(Who who) {
  // Linux: of this thread alone. Decoding comes first.
  if (who == Who::kThread) ::setpriority(PRIO_PROCESS, 0, 19);
  Result<StoreOutcome> result = write_all(who);
  if (!result)
    result = StoreOutcome{StoreState::kFailed,
                          fmt::format("{}: {}", plan_.folder, result.error().message)};
  if (result->state == StoreState::kWriting) return;  // the rest is for Who::kEnd
  temporary_ = nullptr;
  plan_.image.reset();
  if (result->state == StoreState::kFailed && !hurry() && plan_.notice)
    plan_.notice("packed weights are not kept for the next start: " + result->reason);
  const std::lock_guard lock(mutex_);
  outcome_ = *std::move(result);
}

Result<StoreOutcome> Store::Job::write_all(Who who) {
  if (who == Who::kEnd) written_before_hurry_ = written_;
  while (written_ < plan_.header.image_bytes) {
    if (hurry() && who == Who::kThread) return StoreOutcome{StoreState::kWriting};
    if (!temporary_) {  // ended before anything was begun
      EDGELM_TRY_ASSIGN(StoreOutcome prepared, prepare());
      if (prepared.state != StoreState::kWriting) return prepared;
    }
    if (hurry()) EDGELM_TRY(check_time());
    EDGELM_TRY(write_block());
  }
  EDGELM_TRY(finish());
  temporary_->folder.evict(limit_bytes_, plan_.name);  // another process may have stored meanwhile
  return StoreOutcome{StoreState::kStored};
}

Result<StoreOutcome> Store::Job::prepare() {
  EDGELM_TRY_ASSIGN(Folder folder, Folder::open(plan_.folder, true));
  folder.remove_orphans();
  const std::uint64_t file_bytes = kImageOffset + plan_.header.image_bytes;
  limit_bytes_ = limit_of(plan_.limit_bytes, folder);
  if (file_bytes > limit_bytes_)
    return StoreOutcome{
        StoreState::kSkipped,
        fmt::format("{} bytes are more than the cache's limit of {}", file_bytes, limit_bytes_)};
  remove_superseded(folder, plan_);
  folder.evict(limit_bytes_ - file_bytes);
  temporary_ = std::make_unique<Temporary>(std::move(folder));
  EDGELM_TRY(create());
  EDGELM_TRY(reserve_space(temporary_->file.get(), file_bytes));
  return StoreOutcome{StoreState::kWriting};
}

Status Store::Job::create() {
  static std::atomic<std::uint32_t> counter = 0;
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_->name =
        fmt::format("{}.{}-{}{}", plan_.name, ::getpid(), counter++, kUnfinishedSuffix);
    temporary_->file =
        os::Descriptor(::openat(temporary_->folder.descriptor(), temporary_->name.c_str(),
                                O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (temporary_->file.open()) {
      ::flock(temporary_->file.get(), LOCK_EX | LOCK_NB);  // see Folder::remove_orphans
      return {};
    }
    if (errno != EEXIST) break;
  }
  return system_error("make a file");
}

Store::Job::Temporary::~Temporary() {
  if (file.open() && !name.empty()) static_cast<void>(folder.remove(name));
}

Status Store::Job::write_block() {
  const int file = temporary_->file.get();
  const std::uint64_t size = std::min(kBlockBytes, plan_.header.image_bytes - written_);
  const Bytes block(plan_.image.get() + written_, static_cast<std::size_t>(size));
  const auto at = static_cast<off_t>(kImageOffset + written_);
  hash_.update(block);
  EDGELM_TRY(write_at(file, block, kImageOffset + written_));
  written_ += size;
  if (hurry()) return {};
  ::sync_file_range(file, at, static_cast<off_t>(size), SYNC_FILE_RANGE_WRITE);
  if (written_ > kInFlightBytes)
    ::sync_file_range(
        file, at - static_cast<off_t>(kInFlightBytes), static_cast<off_t>(kBlockBytes),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  return {};
}

Status Store::Job::finish() {
  const int file = temporary_->file.get();
  const int folder = temporary_->folder.descriptor();
  plan_.header.image_hash = hash_.digest();
  EDGELM_TRY_ASSIGN(const std::string header, encode_header(plan_.header));
  EDGELM_TRY(write_at(file, as_byte_span(header), 0));
  // Interrupted, it is a whole file without a mark: what a hurry makes as well.
  Status settled =
      settle(file, kImageOffset + plan_.header.image_bytes, [this] { return hurry(); });
  if (settled) EDGELM_TRY(write_mark(file, plan_.header));
  if (!settled && !hurry()) return settled;
  if (::renameat(folder, temporary_->name.c_str(), folder, plan_.name.c_str()) != 0)
    return system_error("rename the finished file");
  temporary_->name.clear();
  if (!hurry()) ::fsync(folder);
  return {};
}

// In a hurry: is the time up, or will it not do at the speed seen since?
Status Store::Job::check_time() {
  constexpr double kTrialSeconds = 0.5;
  constexpr double kSilentSeconds = 1;
  const double seconds = os::ns_to_s(os::now_ns() - hurry_since_ns_);
  const auto done = static_cast<double>(written_ - written_before_hurry_);
  const auto left = static_cast<double>(plan_.header.image_bytes - written_);
  const double rest = plan_.exit_seconds - seconds;
  if (rest <= 0 || (seconds > kTrialSeconds && done / seconds * rest < left))
    return fail(ErrorCode::kIo, "the program ended before all was written");
  if (seconds > kSilentSeconds && !told_ && plan_.notice) {
    told_ = true;
    plan_.notice(fmt::format("keeping packed weights for the next start, at most {:.0f} s more",
                             std::ceil(rest)));
  }
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

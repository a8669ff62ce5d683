#pragma once
// What a Store does in its thread. Between weight_cache.cpp, which says what to write, and store.h,
// which shows how it goes.

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "cache/folder.h"
#include "cache/header.h"
#include "cache/store.h"

namespace edgelm::cache {

struct StorePlan {
  std::string folder;
  std::string name;  // of the file
  Header header;     // without image_hash, which is taken while writing
  std::shared_ptr<const std::byte> image;
  std::optional<std::uint64_t> limit_bytes;
  double exit_seconds = 0;
  std::function<void(const std::string&)> notice;
};

struct Store::Job {
  explicit Job(StorePlan what);
  ~Job();  // in a hurry, see store.h
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  StoreOutcome outcome();
  StoreOutcome wait();

 private:
  // A file that goes unless it is finished.
  struct Temporary {
    explicit Temporary(Folder where) : folder(std::move(where)) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary();

    Folder folder;
    std::string name;
    os::Descriptor file;
  };
  // In a hurry the thread stops and whoever ends the job goes on: the thread's low priority would
  // make them wait.
  enum class Who : std::uint8_t { kThread, kEnd };

  void run(Who who);
  Result<StoreOutcome> write_all(Who who);
  Result<StoreOutcome> prepare();
  Status create();
  Status write_block();
  Status finish();
  [[nodiscard]] bool hurry() const { return hurry_since_ns_ != 0; }
  [[nodiscard]] Status check_time();

  StorePlan plan_;
  std::uint64_t limit_bytes_ = 0;
  std::unique_ptr<Temporary> temporary_;
  std::uint64_t written_ = 0;                     // of the image
  Hash64 hash_;                                   // of these bytes
  std::atomic<std::int64_t> hurry_since_ns_ = 0;  // 0: not in a hurry
  std::uint64_t written_before_hurry_ = 0;
  bool told_ = false;  // why the program does not end yet
  std::mutex mutex_;
  StoreOutcome outcome_{.state = StoreState::kWriting};  // under mutex_
  std::thread thread_;
};

// Bytes that all files together may take, as Options says it.
std::uint64_t limit_of(const std::optional<std::uint64_t>& given, const Folder& folder);

// Waits until the pages of an open file are on the disk, one stretch after the other, and stops
// between two of them when asked to.
Status settle(int file, std::uint64_t file_bytes, const std::function<bool()>& stop);
// After that: the mark that says so.
Status write_mark(int file, const Header& header);

}  // namespace edgelm::cache

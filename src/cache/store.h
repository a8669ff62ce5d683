#pragma once
// One image on its way to the disk, in a thread of its own.
//
// While the program lives it writes at the pace of the disk, so that no other program's memory is
// taken for unwritten pages. When the program ends it stops waiting for the disk and copies the
// rest to the system's page cache, if that can be done in Options::exit_seconds; the system writes
// it out later, and the next find() verifies the whole image once. Otherwise nothing is left
// behind.

#include <cstdint>
#include <memory>
#include <string>

namespace edgelm::cache {

enum class StoreState : std::uint8_t {
  kSkipped,  // by design: no source, too small, no cache
  kWriting,
  kStored,
  kFailed,  // no space, no permission, interrupted: `reason` says which
};

struct StoreOutcome {
  StoreState state = StoreState::kSkipped;
  std::string reason = {};
};

class Store {
 public:
  Store();  // of nothing
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();  // see above; at most exit_seconds and the writing of a few blocks

  [[nodiscard]] StoreOutcome outcome() const;  // as of now
  StoreOutcome wait();                         // until the file is whole and on the disk

  struct Job;
  explicit Store(std::unique_ptr<Job> job);
  explicit Store(StoreOutcome outcome);

 private:
  std::unique_ptr<Job> job_;
  StoreOutcome outcome_;
};

}  // namespace edgelm::cache

// The recorder's thread: sleeps until something is due or asked for, and nothing else.

#include "device/power/recorder.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "device/power/stepped_recorder.h"
#include "os/clock.h"

namespace edgelm::device {
namespace {

class ThreadedRecorder final : public SteppedRecorder {
 public:
  using SteppedRecorder::SteppedRecorder;
  ~ThreadedRecorder() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  Status start() {
    step();  // the first reading is there when record() returns
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error& error) {
      return fail(ErrorCode::kIo, "the recorder's thread cannot start: {}", error.what());
    }
    return {};
  }

 protected:
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      asked_ = true;
    }
    wake_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      // At least a millisecond of sleep, whatever a source says its period is.
      const std::int64_t wait_ns = std::max<std::int64_t>(next_due() - os::now_ns(), 1'000'000);
      wake_.wait_for(lock, std::chrono::nanoseconds(wait_ns), [this] { return stop_ || asked_; });
      asked_ = false;
      if (stop_) return;
      lock.unlock();
      step();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool asked_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Recorder>> record(std::unique_ptr<EnergySource> source,
                                         std::string why_no_source, const os::SystemFiles& files,
                                         ThrottleWatch watch) {
  RecorderOptions options;
  options.watch = std::move(watch);
  auto recorder = std::make_unique<ThreadedRecorder>(std::move(source), std::move(why_no_source),
                                                     files, std::move(options));
  EDGELM_TRY(recorder->start());
  return recorder;
}

}  // namespace edgelm::device

// Waiting, bounded and interruptible; see retry.h.

#include "endpoint/retry.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "endpoint/failure.h"

namespace edgelm::endpoint {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kMaxWait = std::chrono::milliseconds(60'000);
constexpr auto kSlice = std::chrono::milliseconds(100);

// false when interrupted.
bool wait(std::chrono::milliseconds time, const std::function<bool()>& cancelled) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    if (cancelled && cancelled()) return false;
    std::this_thread::sleep_for(std::min<Clock::duration>(kSlice, end - Clock::now()));
  }
  return true;
}

}  // namespace

Result<http::Response> with_retries(const Options& options, const std::string& name,
                                    const std::function<Result<http::Response>()>& attempt) {
  auto backoff = options.retry_wait;
  for (int i = 0;; ++i) {
    Result<http::Response> response = attempt();
    if (!response || (response->status != 429 && response->status != 503)) return response;
    if (i >= options.max_retries) return response;
    const auto time = retry_after(*response).value_or(backoff);
    if (time > kMaxWait)
      return fail(ErrorCode::kLimit, "{}; asked to come back in {} s",
                  status_error(*response, name, options.api_key).message, time.count() / 1000);
    if (!wait(time, options.cancelled)) return fail(ErrorCode::kIo, "{}: interrupted", name);
    backoff = std::min(backoff * 2, kMaxWait);
  }
}

}  // namespace edgelm::endpoint

#pragma once
// What the system says about this process's memory: proportional set split into file and anonymous,
// the peak, the control group's peak, page faults and what was read from storage; and the verdict
// whether the weights were paged. Read by the protocol around the timed phases. All through
// SystemFiles, so that each kernel's peculiarities are replayed in tests.

#include <cstdint>
#include <string>

#include "base/known.h"
#include "measure/record.h"
#include "os/system_files.h"

namespace edgelm::measure {

// Proportional set size: pages that several processes share count in parts.
struct ProportionalSet {
  Known<std::uint64_t> file = not_available("not told");  // mapped files and shared memory
  Known<std::uint64_t> anonymous = not_available("not told");
};
ProportionalSet read_proportional_set(const os::SystemFiles& files);

// The largest resident set since the last reset (VmHWM). Its reset is refused on some kernels: then
// it is that of the whole life of the process.
Status reset_peak(const os::SystemFiles& files);
Known<std::uint64_t> read_peak(const os::SystemFiles& files);

// The largest use of this process's control group since it was made, version 1 or 2.
Known<std::uint64_t> read_cgroup_peak(const os::SystemFiles& files);
// The peak belongs to what ran between two readings only when it grew.
Known<std::uint64_t> cgroup_peak_between(const Known<std::uint64_t>& before,
                                         const Known<std::uint64_t>& after);

// Counters that only grow.
struct Faults {
  Known<std::uint64_t> major = not_available("not told");               // of this process
  Known<std::uint64_t> storage_read_bytes = not_available("not told");  // of this process
  Known<std::uint64_t> refaulted_pages = not_available("not told");     // of the whole system
};
Faults read_faults(const os::SystemFiles& files);
// Known where both are; a counter that went back is not told.
Known<std::uint64_t> growth(const Known<std::uint64_t>& before, const Known<std::uint64_t>& after);

// What there is to judge paging by, over the timed phases.
struct PagingEvidence {
  double seconds = 0;
  Known<std::uint64_t> major_faults = not_available("not told");
  Known<std::uint64_t> storage_read_bytes = not_available("not told");
  Known<std::uint64_t> refaulted_pages = not_available("not told");
  Known<double> weights_resident = not_available("not told");
  double weight_bytes = 0;       // of the model
  double weight_bytes_used = 0;  // by all tokens that ran: many times weight_bytes
  Known<double> bandwidth_share =
      not_available("not told");  // decode's weight reads over the probe
};
struct PagingVerdict {
  bool paging = false;
  std::string why;  // one sentence with the figures; empty when there is no paging
};
// The cliff: after the warm-up, when everything should be in memory, weights came from storage
// again. A share of what the tokens used, because one late page is no cliff.
PagingVerdict judge_paging(const PagingEvidence& evidence);

}  // namespace edgelm::measure

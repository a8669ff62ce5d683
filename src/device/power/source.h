#pragma once
// A source of energy readings, whatever it is: a counter of joules or a gauge of watts, of the
// package, a rail, the board or the wall. One implementation per interface of the field; scripted
// ones in tests. Read by the recorder (recorder.h) from its thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"

namespace edgelm::device {

// What the joules are of. Figures of different scopes are never compared or added silently.
enum class Scope : std::uint8_t {
  kWall,
  kBoard,    // the board's input
  kModule,   // a Jetson's VDD_IN
  kPackage,  // the processor
  kGpu,
  kDram,
  kRail,  // one rail, or the sum of some: less than the board
  kBattery,
  kModelled,  // board watts by somebody's fit from other readings
  kUnknown,   // a recorded file or a command that does not say
};

std::string_view scope_name(Scope scope);  // "wall", "board", ...

struct SensorInfo {
  std::string id;    // what --power takes: "rapl", "ina3221", "shelly:192.168.1.7"
  std::string name;  // for people: "Intel RAPL, package-0 + dram"
  Scope scope = Scope::kUnknown;
  bool counter = false;             // joules since some moment; otherwise watts now
  double period_s = 0.1;            // how often reading pays
  double min_window_s = 0;          // a shorter window says nothing
  double relative_uncertainty = 0;  // of the sensor itself, 1 sigma
  std::string not_readable;         // empty: it can be read now; otherwise why not
  std::string hint;                 // what to type when it cannot: "sudo chmod a+r ..."
  double update_s = 0;              // how often the sensor has a new value; 0: as period_s
  double quantum = 0;               // smallest step of a reading, joules or watts
};

// At one moment. A counter's joules only grow: the source itself takes care of wrap-around.
struct Reading {
  std::int64_t t_ns = 0;  // monotonic, of the middle of the read
  double value = 0;       // joules since the first reading (counter), or watts
  // The source lost track since the reading before (counter reset or wrapped more than once,
  // machine suspended): no window reaches over this moment.
  bool restart = false;
};

// Monotonic nanoseconds: os::now_ns, or the virtual time of a test or a replay.
using Clock = std::function<std::int64_t()>;

class EnergySource {
 public:
  virtual ~EnergySource() = default;
  [[nodiscard]] virtual const SensorInfo& info() const = 0;
  // One reading. An error ends the source's window as n/a from here on, unless later reads succeed;
  // nothing is made up in between. From one thread at a time.
  virtual Result<Reading> read() = 0;
  // What makes the figures doubtful, found while reading; each lowers their confidence.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace edgelm::device

#pragma once
// A cell is measured in a process of its own: the same program, told what to do on its input, that
// answers with lines on its output. So a kill for want of memory, a crash or a model that brings
// the loader down is a result of the sweep and not its end. The parent sleeps while the child
// measures.

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace edgelm::measure {

struct ChildTask {
  std::vector<std::string> arguments;      // [0] is the name; the program is /proc/self/exe
  std::string program = "/proc/self/exe";  // the one that runs, even if its file was replaced
  std::string input;                       // written to its standard input, which then ends
  int descriptor = -1;                     // handed down as descriptor kChildDescriptor
  double timeout_s = 0;                    // 0: none
  std::function<void(const std::string& line)> on_output = {};
  std::function<void(const std::string& line)> on_error = {};  // its standard error
  std::function<bool()> stop = {};  // asked whenever a signal arrives, and ten times a second
};
constexpr int kChildDescriptor = 3;

struct ChildEnd {
  int exit_status = 0;
  int signal = 0;        // that ended it; 0 when it ended by itself
  bool stopped = false;  // by ChildTask::stop
  bool timed_out = false;
  bool out_of_memory = false;  // the system killed it to get memory back
  std::string last_error;      // last line of its standard error
};

// Runs it to its end. The child dies with this process, and is the first that the system ends when
// memory is short (oom_score_adj). kIo when it cannot be started.
Result<ChildEnd> run_child(const ChildTask& task);

// What to tell of an end that brought no result: "killed by the system for want of memory".
std::string describe(const ChildEnd& end);

}  // namespace edgelm::measure

// fork, exec, pipes.

#include "measure/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>

#include "os/clock.h"
#include "os/descriptor.h"

namespace edgelm::measure {
namespace {

constexpr std::size_t kMaxLine = std::size_t{64} << 20;
constexpr int kPollMs = 100;

struct Pipe {
  os::Descriptor read, write;
};
Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::kIo, "cannot make a pipe: {}", std::strerror(errno));
  return Pipe{os::Descriptor(ends[0]), os::Descriptor(ends[1])};
}

// How often this machine, and this control group, have killed for want of memory.
std::uint64_t out_of_memory_kills() {
  std::uint64_t kills = 0;
  for (const char* path : {"/proc/vmstat", "/sys/fs/cgroup/memory.events"}) {
    std::ifstream file(path);
    std::string word;
    std::uint64_t value = 0;
    while (file >> word >> value)
      if (word == "oom_kill") kills += value;
  }
  return kills;
}

// Whole lines out of pieces.
class Lines {
 public:
  explicit Lines(std::function<void(const std::string&)> take) : take_(std::move(take)) {}
  // False when the pipe has ended.
  bool read_from(int descriptor) {
    std::array<char, 1 << 14> buffer;
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got == 0) {
      if (!line_.empty()) emit();
      return false;
    }
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
      if (c == '\n') {
        emit();
      } else if (line_.size() < kMaxLine) {
        line_ += c;
      }
    }
    return true;
  }

 private:
  void emit() {
    if (take_) take_(line_);
    line_.clear();
  }
  std::function<void(const std::string&)> take_;
  std::string line_;
};

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const ChildTask& task, char* const* arguments, int in, int out, int err,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  const int score = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    [[maybe_unused]] const ssize_t written = ::write(score, "1000", 4);
    ::close(score);
  }
  // Out of the way of the descriptors to come.
  int handed = -1;
  if (task.descriptor >= 0) handed = ::fcntl(task.descriptor, F_DUPFD, kChildDescriptor + 1);
  in = ::fcntl(in, F_DUPFD_CLOEXEC, kChildDescriptor + 1);
  out = ::fcntl(out, F_DUPFD_CLOEXEC, kChildDescriptor + 1);
  err = ::fcntl(err, F_DUPFD_CLOEXEC, kChildDescriptor + 1);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (handed >= 0) {
    ::dup2(handed, kChildDescriptor);
    ::close(handed);
  }
  // Signal settings survive exec; the parent's are its own.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(task.program.c_str(), arguments);
  ::_exit(127);
}

// The input is short (a pipe holds 64 KiB), but a child that dies must not stop the parent.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// SIGPIPE would end the parent when the child dies before it has read.
class IgnorePipeSignal {
 public:
  IgnorePipeSignal() : old_(std::signal(SIGPIPE, SIG_IGN)) {}
  ~IgnorePipeSignal() { std::signal(SIGPIPE, old_); }
  IgnorePipeSignal(const IgnorePipeSignal&) = delete;
  IgnorePipeSignal& operator=(const IgnorePipeSignal&) = delete;

 private:
  void (*old_)(int);
};

// Reads both pipes until they end, or until there is a reason to kill.
void follow(const ChildTask& task, pid_t child, int out, int err, ChildEnd& end) {
  Lines output(task.on_output);
  Lines errors([&](const std::string& line) {
    if (!line.empty()) end.last_error = line;
    if (task.on_error) task.on_error(line);
  });
  std::array<pollfd, 2> pipes = {pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
  const std::int64_t start = os::now_ns();
  bool killed = false;
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    const int ready = ::poll(pipes.data(), pipes.size(), kPollMs);
    if (!killed) {
      end.stopped = task.stop && task.stop();
      end.timed_out = task.timeout_s > 0 && os::ns_to_s(os::now_ns() - start) > task.timeout_s;
      killed = end.stopped || end.timed_out;
      if (killed) ::kill(child, SIGKILL);
    }
    if (ready <= 0) continue;
    if (pipes[0].revents != 0 && !output.read_from(pipes[0].fd)) pipes[0].fd = -1;
    if (pipes[1].revents != 0 && !errors.read_from(pipes[1].fd)) pipes[1].fd = -1;
  }
}

}  // namespace

Result<ChildEnd> run_child(const ChildTask& task) {
  EDGELM_TRY_ASSIGN(Pipe in, make_pipe());
  EDGELM_TRY_ASSIGN(Pipe out, make_pipe());
  EDGELM_TRY_ASSIGN(Pipe err, make_pipe());
  std::vector<std::string> words = task.arguments;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::uint64_t kills = out_of_memory_kills();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail(ErrorCode::kIo, "cannot start a process: {}", std::strerror(errno));
  if (child == 0)
    become(task, arguments.data(), in.read.get(), out.write.get(), err.write.get(), parent);
  in.read = {};
  out.write = {};
  err.write = {};
  const IgnorePipeSignal guard;
  write_all(in.write.get(), task.input);
  in.write = {};
  ChildEnd end;
  follow(task, child, out.read.get(), err.read.get(), end);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_status = WEXITSTATUS(status);
  // Ctrl-C in a terminal reaches the child as well, and perhaps first.
  if (end.signal == SIGINT) end.stopped = true;
  end.out_of_memory =
      end.signal == SIGKILL && !end.stopped && !end.timed_out && out_of_memory_kills() > kills;
  return end;
}

std::string describe(const ChildEnd& end) {
  std::string text;
  if (end.out_of_memory) {
    text = "the system killed the measuring process for want of memory";
  } else if (end.timed_out) {
    text = "it took longer than the time limit (--timeout)";
  } else if (end.signal != 0) {
    text = fmt::format("the measuring process was ended by signal {} ({})", end.signal,
                       ::strsignal(end.signal));
  } else {
    text = fmt::format("the measuring process ended with status {} and without a result",
                       end.exit_status);
  }
  if (!end.last_error.empty()) text += "; it said: " + end.last_error;
  return text;
}

}  // namespace edgelm::measure

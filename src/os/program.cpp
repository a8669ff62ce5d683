// posix_spawn into a process group of its own, two pipes, and one loop that reads until both end.

#include "os/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "os/clock.h"
#include "os/descriptor.h"

namespace edgelm::os {
namespace {

// Where system programs lie though users often have the folders not in PATH.
constexpr std::array<std::string_view, 6> kSystemFolders{
    "/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/opt/vc/bin"};

bool can_run(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

// Absolute folders of $PATH; what is relative would depend on where one stands.
std::vector<std::string> search_path() {
  std::vector<std::string> folders;
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    if (folder.starts_with('/')) folders.emplace_back(folder);
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  folders.insert(folders.end(), kSystemFolders.begin(), kSystemFolders.end());
  return folders;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::kIo, "pipe: {}", std::strerror(errno));
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // of our end alone
  return pipe;
}

// The environment with messages in English.
std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!text.starts_with("LC_ALL=")) all.emplace_back(text);
  }
  all.emplace_back("LC_ALL=C");
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// What posix_spawn shall do in the child: descriptors 0, 1, 2, its own group, no inherited signals.
class SpawnPlan {
 public:
  SpawnPlan(int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t usual;
    sigemptyset(&usual);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGQUIT, SIGHUP}) sigaddset(&usual, signal);
    posix_spawnattr_setsigdefault(&attributes_, &usual);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// A started program. It is reaped last, after its group was ended: until then its number cannot
// become another program's.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() { finish(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // ECHILD: this process ignores SIGCHLD, so that nobody learns the status.
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    return result == 0 ? info.si_pid == pid_ : errno == ECHILD;
  }
  // Ends it, if it did not end, and what it left running; the status as a shell has it.
  int finish() {
    if (pid_ <= 0) return status_;
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return status_;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

// Takes what is there. False at the end of the stream; `overflow` when it is more than allowed.
bool drain(int fd, std::size_t limit, std::string& text, bool& overflow) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    if (text.size() + static_cast<std::size_t>(n) > limit) {
      overflow = true;
      return false;
    }
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
}

// Reads until both streams end, or the program does (something that it left behind may hold them).
Status collect(const Child& child, int out, int err, const std::string& name,
               const ProgramLimits& limits, ProgramRun& run) {
  const std::int64_t deadline = now_ns() + static_cast<std::int64_t>(limits.seconds * 1e9);
  std::array<pollfd, 2> streams{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
  const std::array<std::string*, 2> texts{&run.out, &run.err};
  for (;;) {
    const bool open = streams[0].fd >= 0 || streams[1].fd >= 0;
    if (child.ended() && !open) return {};
    const std::int64_t left_ns = deadline - now_ns();
    if (left_ns <= 0)
      return fail(ErrorCode::kIo, "{} did not end within {:.0f} s", name, limits.seconds);
    // While streams are open they wake this up; their end is followed by the program's at once.
    const std::int64_t longest_ms = open ? 20 : 1;
    const int ready = ::poll(streams.data(), streams.size(),
                             static_cast<int>(std::min(left_ns / 1'000'000 + 1, longest_ms)));
    const bool ended = child.ended();
    bool overflow = false;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].fd < 0 || (streams[i].revents == 0 && !ended)) continue;
      if (!drain(streams[i].fd, limits.output_bytes, *texts[i], overflow)) streams[i].fd = -1;
    }
    if (overflow)
      return fail(ErrorCode::kLimit, "{} printed more than {} bytes", name, limits.output_bytes);
    if (ended && ready <= 0) return {};
  }
}

}  // namespace

Result<std::string> find_program(const std::string& name, const std::string& root) {
  if (name.empty()) return fail(ErrorCode::kUsage, "a program without a name");
  if (name.find('/') != std::string::npos) {
    const std::string path = root.empty() || !name.starts_with('/') ? name : root + name;
    if (can_run(path)) return path;
    return fail(ErrorCode::kNotFound, "{}: no program there", path);
  }
  const std::vector<std::string> folders =
      root.empty() ? search_path() : std::vector<std::string>{root + "/usr/bin"};
  for (const std::string& folder : folders) {
    std::string path = folder;
    path.append("/").append(name);
    if (can_run(path)) return path;
  }
  return fail(ErrorCode::kNotFound, "no program {} in {}", name,
              root.empty() ? "PATH" : folders.front());
}

Result<ProgramRun> run_program(const SystemFiles& files, const std::vector<std::string>& arguments,
                               const ProgramLimits& limits) {
  if (arguments.empty()) return fail(ErrorCode::kUsage, "a program without a name");
  EDGELM_TRY_ASSIGN(const std::string path, find_program(arguments.front(), files.root()));
  EDGELM_TRY_ASSIGN(Pipe out, make_pipe());
  EDGELM_TRY_ASSIGN(Pipe err, make_pipe());
  std::vector<std::string> words = arguments;
  std::vector<std::string> variables = environment();
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  pid_t pid = -1;
  {
    const SpawnPlan plan(out.write.get(), err.write.get());
    const int error = ::posix_spawn(&pid, path.c_str(), &plan.actions_, &plan.attributes_,
                                    argv.data(), envp.data());
    if (error != 0)
      return fail(error == EACCES ? ErrorCode::kPermission : ErrorCode::kIo, "{}: {}", path,
                  std::strerror(error));
  }
  Child child(pid);
  out.write = Descriptor();
  err.write = Descriptor();
  ProgramRun run;
  EDGELM_TRY(collect(child, out.read.get(), err.read.get(), arguments.front(), limits, run));
  run.exit_status = child.finish();
  return run;
}

Result<std::string> program_output(const SystemFiles& files,
                                   const std::vector<std::string>& arguments,
                                   const ProgramLimits& limits) {
  EDGELM_TRY_ASSIGN(ProgramRun run, run_program(files, arguments, limits));
  if (run.exit_status == 0) return std::move(run.out);
  const std::string& words = run.err.empty() ? run.out : run.err;
  return fail(ErrorCode::kIo, "{} ended with status {}: {}", arguments.front(), run.exit_status,
              words.substr(0, std::min<std::size_t>(words.find('\n'), 200)));
}

}  // namespace edgelm::os

// posix_spawn into a process group of its own, with two pipes.

#include "os/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "os/program.h"

namespace edgelm::os {
namespace {

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

}  // namespace

Result<ChildProgram> ChildProgram::start(const SystemFiles& files,
                                         const std::vector<std::string>& arguments) {
  if (arguments.empty()) return fail(ErrorCode::kUsage, "a program without a name");
  EDGELM_TRY_ASSIGN(const std::string path, find_program(arguments.front(), files.root()));
  EDGELM_TRY_ASSIGN(Pipe out, make_pipe());
  EDGELM_TRY_ASSIGN(Pipe err, make_pipe());
  std::vector<std::string> words = arguments;
  std::vector<std::string> variables = environment();
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  const SpawnPlan plan(out.write.get(), err.write.get());
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &plan.actions_, &plan.attributes_,
                                  argv.data(), envp.data());
  if (error != 0)
    return fail(error == EACCES ? ErrorCode::kPermission : ErrorCode::kIo, "{}: {}", path,
                std::strerror(error));
  return ChildProgram(pid, std::move(out.read), std::move(err.read));
}

ChildProgram::ChildProgram(ChildProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      status_(other.status_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

bool ChildProgram::ended() const {
  if (pid_ <= 0) return true;
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  // ECHILD: this process ignores SIGCHLD, so that nobody learns the status.
  return result == 0 ? info.si_pid == pid_ : errno == ECHILD;
}

int ChildProgram::finish() {
  if (pid_ <= 0) return status_;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

bool take_available(int descriptor, std::size_t limit, std::string& text, bool& overflow) {
  std::array<char, 4096> piece{};
  for (;;) {
    const ssize_t n = ::read(descriptor, piece.data(), piece.size());
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

}  // namespace edgelm::os

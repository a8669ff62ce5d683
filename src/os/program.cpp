// Where programs are, and one loop that reads what they print until both streams end.

#include "os/program.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "os/child.h"
#include "os/clock.h"

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

// Reads until both streams end, or the program does (something that it left behind may hold them).
Status collect(const ChildProgram& child, const std::string& name, const ProgramLimits& limits,
               ProgramRun& run) {
  const std::int64_t deadline = now_ns() + static_cast<std::int64_t>(limits.seconds * 1e9);
  std::array<pollfd, 2> streams{{{child.out(), POLLIN, 0}, {child.err(), POLLIN, 0}}};
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
      if (!take_available(streams[i].fd, limits.output_bytes, *texts[i], overflow))
        streams[i].fd = -1;
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
  EDGELM_TRY_ASSIGN(ChildProgram child, ChildProgram::start(files, arguments));
  ProgramRun run;
  EDGELM_TRY(collect(child, arguments.front(), limits, run));
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

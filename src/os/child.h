#pragma once
// A program that runs beside this one and is read while it does: started without a shell, ended
// with all that it started. program.h runs one to its end; a power meter's program (device/power)
// prints lines for as long as it is wanted.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/descriptor.h"
#include "os/system_files.h"

namespace edgelm::os {

class ChildProgram {
 public:
  // arguments[0] as find_program (program.h) takes it; nothing on its input, messages in English.
  static Result<ChildProgram> start(const SystemFiles& files,
                                    const std::vector<std::string>& arguments);
  ChildProgram(ChildProgram&& other) noexcept;
  ChildProgram& operator=(ChildProgram&&) = delete;
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;
  ~ChildProgram() { finish(); }

  // Its two streams: not blocking, for poll().
  [[nodiscard]] int out() const { return out_.get(); }
  [[nodiscard]] int err() const { return err_.get(); }
  [[nodiscard]] bool ended() const;
  // Ends it, if it did not end, and what it left running; the exit status as a shell has it. It is
  // reaped last, after its group was ended: until then its number cannot become another program's.
  int finish();

 private:
  ChildProgram(pid_t pid, Descriptor out, Descriptor err)
      : pid_(pid), out_(std::move(out)), err_(std::move(err)) {}

  pid_t pid_;
  int status_ = 0;
  Descriptor out_;
  Descriptor err_;
};

// Appends what can be read now. False at the end of the stream, or beyond `limit` bytes in all
// (then `overflow` too).
bool take_available(int descriptor, std::size_t limit, std::string& text, bool& overflow);

}  // namespace edgelm::os

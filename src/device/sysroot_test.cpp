// The recorded machines unpack to what their texts say, and their programs run.

#include "support/sysroot.h"

#include <gtest/gtest.h>

#include "os/program.h"
#include "os/system_files.h"

namespace edgelm::device {
namespace {

TEST(Sysroot, UnpacksEveryKindOfLine) {
  const test::Sysroot machine;
  machine.unpack(
      "# a comment = not a file\n/a/one = 1 = 2\n/a/nul = x\\0y\\0\n/m <<\n # kept\n\nend\n<<\n"
      "/c{2..3}/n = <{}>\n/list <<{0..1}\ncpu {}\n\n<<\n/list = more\n/dir -> a\n");
  const auto files = os::system_files(machine.root());
  EXPECT_EQ(files->read("/a/one").value_or("?"), "1 = 2\n");
  EXPECT_EQ(files->read("/a/nul").value_or("?"), std::string("x\0y\0", 4));
  EXPECT_EQ(files->read("/m").value_or("?"), " # kept\n\nend\n");
  EXPECT_EQ(files->read("/c2/n").value_or("?"), "<2>\n");
  EXPECT_EQ(files->read("/c3/n").value_or("?"), "<3>\n");
  EXPECT_EQ(files->read("/list").value_or("?"), "cpu 0\n\ncpu 1\n\nmore\n");
  EXPECT_EQ(files->list("/dir"), (std::vector<std::string>{"nul", "one"}));
}

TEST(Sysroot, TheRecordedMachinesAnswer) {
  const test::Sysroot pi("pi5");
  const auto pi_files = os::system_files(pi.root());
  EXPECT_EQ(os::program_output(*pi_files, {"vcgencmd", "get_throttled"}).value_or("?"),
            "throttled=0x0\n");
  EXPECT_EQ(pi_files->line("/sys/devices/system/cpu/cpu3/topology/core_id").value_or("?"), "3");

  const test::Sysroot orin("orin-nano");
  const auto orin_files = os::system_files(orin.root());
  EXPECT_EQ(os::program_output(*orin_files, {"nvpmodel", "-q"}).value_or("?"),
            "NV Power Mode: 25W\n1\n");
  EXPECT_TRUE(os::program_output(*orin_files, {"nvpmodel", "-m", "2"}));
  EXPECT_EQ(os::program_output(*orin_files, {"nvpmodel", "-q"}).value_or("?"),
            "NV Power Mode: MAXN_SUPER\n2\n");
  EXPECT_EQ(orin_files->integer("/sys/class/hwmon/hwmon1/in1_input").value_or(0), 5072);

  const test::Sysroot laptop("intel-laptop");
  const auto laptop_files = os::system_files(laptop.root());
  EXPECT_EQ(laptop_files->line("/sys/devices/system/cpu/cpu12/topology/core_id").value_or("?"),
            "112");
  const test::Sysroot nothing("nothing");
  EXPECT_EQ(os::system_files(nothing.root())->list("/sys/class").size(), 0U);
}

}  // namespace
}  // namespace edgelm::device

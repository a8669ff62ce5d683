// Which board it is: the device tree names ARM boards, DMI names PCs and virtual machines, and the
// hypervisor's flag remains where neither says anything. The evidence is the file that decided.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/printable.h"
#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kMaxNameBytes = 120;
constexpr const char* kDmi = "/sys/class/dmi/id/";

// What DMI says when nobody filled it in.
bool is_placeholder(std::string_view text) {
  constexpr std::array<std::string_view, 8> kPlaceholders{
      "To Be Filled By O.E.M.", "To be filled by O.E.M.",
      "System Product Name",    "System manufacturer",
      "Default string",         "Not Specified",
      "Not Applicable",         "None"};
  return text.empty() ||
         std::find(kPlaceholders.begin(), kPlaceholders.end(), text) != kPlaceholders.end();
}

std::string dmi(const os::SystemFiles& files, const char* field) {
  std::string text = text_line(files, std::string(kDmi) + field).value_or("");
  return is_placeholder(text) ? std::string() : text;
}

// "Vendor Product", the vendor once.
std::string joined(const std::string& vendor, const std::string& product) {
  if (vendor.empty() || product.starts_with(vendor)) return product;
  return product.empty() ? vendor : vendor + " " + product;
}

// Vendors and products of virtual machines, as systemd-detect-virt and the makers document them.
bool is_virtual(const std::string& vendor, const std::string& product) {
  constexpr std::array<std::string_view, 12> kVendors{
      "QEMU",  "VMware, Inc.", "innotek GmbH", "Xen",       "Bochs", "Parallels",
      "BHYVE", "KubeVirt",     "DigitalOcean", "OpenStack", "OVM",   "Hetzner"};
  for (const std::string_view name : kVendors)
    if (vendor.starts_with(name)) return true;
  if (vendor == "Amazon EC2") return product.find("metal") == std::string::npos;
  return (vendor == "Microsoft Corporation" && product == "Virtual Machine") ||
         (vendor == "Google" && product == "Google Compute Engine") || product == "VirtualBox" ||
         product.starts_with("KVM") || product.find("Alibaba Cloud") != std::string::npos;
}

std::optional<Board> from_device_tree(const os::SystemFiles& files, std::string_view architecture) {
  for (const std::string folder : {"/proc/device-tree", "/sys/firmware/devicetree/base"}) {
    const auto model = text_line(files, folder + "/model");
    const std::string compatible = files.read(folder + "/compatible").value_or("");
    if (!model && compatible.empty()) continue;
    Board board;
    // The first name is the most exact one, the last one the system on a chip.
    const auto names = words_of(compatible);
    if (!names.empty()) board.soc = printable(names.back(), kMaxNameBytes);
    board.name = model.value_or(names.empty() ? "" : printable(names.front(), kMaxNameBytes));
    board.evidence = folder + (model ? "/model" : "/compatible");
    const auto says = [&](std::string_view text) {
      return compatible.find(text) != std::string::npos;
    };
    if (says("raspberrypi,") || board.name.starts_with("Raspberry Pi")) {
      board.kind = BoardKind::kRaspberryPi;
    } else if (says("nvidia,tegra") || board.name.find("Jetson") != std::string::npos) {
      board.kind = BoardKind::kJetson;
    } else if (says("linux,dummy-virt") || says("qemu,")) {
      board.kind = BoardKind::kVirtual;
    } else if (architecture == "aarch64" || architecture == "armv7l") {
      board.kind = BoardKind::kOtherArm;
    }
    return board;
  }
  return std::nullopt;
}

std::optional<Board> from_dmi(const os::SystemFiles& files, bool hypervisor, bool is_arm) {
  const std::string vendor = dmi(files, "sys_vendor");
  std::string product = dmi(files, "product_name");
  // Some makers number their products and put the name into the version.
  const std::string version = dmi(files, "product_version");
  if (vendor == "LENOVO" && !version.empty()) product = version + " (" + product + ")";
  Board board;
  board.name = joined(vendor, product);
  board.evidence = std::string(kDmi) + "product_name";
  if (product.empty()) {
    const std::string name = joined(dmi(files, "board_vendor"), dmi(files, "board_name"));
    if (!name.empty()) {
      board.name = name;
      board.evidence = std::string(kDmi) + "board_name";
    }
  }
  if (board.name.empty()) return std::nullopt;
  board.kind = BoardKind::kPc;
  if (is_arm) board.kind = BoardKind::kOtherArm;
  if (hypervisor || is_virtual(vendor, product)) board.kind = BoardKind::kVirtual;
  return board;
}

}  // namespace

Board describe_board(const os::SystemFiles& files) {
  const std::string cpuinfo = read_cpuinfo(files);
  const std::string architecture = architecture_of(cpuinfo);
  const bool is_arm = architecture == "aarch64" || architecture == "armv7l";
  const auto flags = words_of(value_at(cpuinfo, "flags", ':'));
  const bool hypervisor = std::find(flags.begin(), flags.end(), "hypervisor") != flags.end();
  if (auto board = from_device_tree(files, architecture)) return *board;
  if (files.read("/etc/nv_tegra_release"))
    return {BoardKind::kJetson, "NVIDIA Jetson", "/etc/nv_tegra_release", ""};
  if (auto board = from_dmi(files, hypervisor, is_arm)) return *board;
  if (const auto type = text_line(files, "/sys/hypervisor/type"))
    return {BoardKind::kVirtual, "virtual machine (" + *type + ")", "/sys/hypervisor/type", ""};
  if (hypervisor) {
    const std::string release = files.line("/proc/sys/kernel/osrelease").value_or("");
    const bool wsl = release.find("icrosoft") != std::string::npos;
    return {BoardKind::kVirtual, wsl ? "Windows Subsystem for Linux" : "virtual machine",
            wsl ? "/proc/sys/kernel/osrelease" : "/proc/cpuinfo: flag hypervisor", ""};
  }
  return {is_arm ? BoardKind::kOtherArm : BoardKind::kUnknown, "unknown",
          "no device tree, no DMI, no hypervisor's flag", ""};
}

std::string describe_os(const os::SystemFiles& files) {
  std::string name;
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    const std::string text = files.read(path).value_or("");
    std::string_view value = value_at(text, "PRETTY_NAME", '=');
    if (value.size() >= 2 && value.front() == value.back() &&
        (value.front() == '"' || value.front() == '\''))
      value = value.substr(1, value.size() - 2);
    name = printable(value, 120);
    if (!name.empty()) break;
  }
  // "# R36 (release), REVISION: 4.3, GCID: ..."
  const std::string release = files.read("/etc/nv_tegra_release").value_or("");
  const auto tegra = words_of(release);
  if (tegra.size() > 4 && tegra[0] == "#" && tegra[1].starts_with('R') && tegra[3] == "REVISION:") {
    const std::string_view revision = tegra[4].substr(0, tegra[4].find(','));
    name += fmt::format("{}Jetson Linux {}.{}", name.empty() ? "" : ", ",
                        printable(tegra[1].substr(1)), printable(revision));
  }
  return name.empty() ? "unknown" : name;
}

}  // namespace edgelm::device

// Names of ARM cores by the implementer and part number of their MIDR_EL1 register, as the
// technical reference manuals of the cores and linux/arch/arm64/include/asm/cputype.h give them.

#include <algorithm>
#include <array>

#include "device/describe_parts.h"

namespace edgelm::device {
namespace {

struct Part {
  std::uint32_t implementer;
  std::uint32_t part;
  std::string_view name;
};

constexpr std::array kParts{
    Part{0x41, 0xb76, "ARM1176"},         Part{0x41, 0xc07, "Cortex-A7"},
    Part{0x41, 0xc08, "Cortex-A8"},       Part{0x41, 0xc09, "Cortex-A9"},
    Part{0x41, 0xc0f, "Cortex-A15"},      Part{0x41, 0xd03, "Cortex-A53"},
    Part{0x41, 0xd04, "Cortex-A35"},      Part{0x41, 0xd05, "Cortex-A55"},
    Part{0x41, 0xd06, "Cortex-A65"},      Part{0x41, 0xd07, "Cortex-A57"},
    Part{0x41, 0xd08, "Cortex-A72"},      Part{0x41, 0xd09, "Cortex-A73"},
    Part{0x41, 0xd0a, "Cortex-A75"},      Part{0x41, 0xd0b, "Cortex-A76"},
    Part{0x41, 0xd0c, "Neoverse-N1"},     Part{0x41, 0xd0d, "Cortex-A77"},
    Part{0x41, 0xd0e, "Cortex-A76AE"},    Part{0x41, 0xd40, "Neoverse-V1"},
    Part{0x41, 0xd41, "Cortex-A78"},      Part{0x41, 0xd42, "Cortex-A78AE"},
    Part{0x41, 0xd43, "Cortex-A65AE"},    Part{0x41, 0xd44, "Cortex-X1"},
    Part{0x41, 0xd46, "Cortex-A510"},     Part{0x41, 0xd47, "Cortex-A710"},
    Part{0x41, 0xd48, "Cortex-X2"},       Part{0x41, 0xd49, "Neoverse-N2"},
    Part{0x41, 0xd4a, "Neoverse-E1"},     Part{0x41, 0xd4b, "Cortex-A78C"},
    Part{0x41, 0xd4c, "Cortex-X1C"},      Part{0x41, 0xd4d, "Cortex-A715"},
    Part{0x41, 0xd4e, "Cortex-X3"},       Part{0x41, 0xd4f, "Neoverse-V2"},
    Part{0x41, 0xd80, "Cortex-A520"},     Part{0x41, 0xd81, "Cortex-A720"},
    Part{0x41, 0xd82, "Cortex-X4"},       Part{0x41, 0xd83, "Neoverse-V3AE"},
    Part{0x41, 0xd84, "Neoverse-V3"},     Part{0x41, 0xd85, "Cortex-X925"},
    Part{0x41, 0xd87, "Cortex-A725"},     Part{0x41, 0xd8e, "Neoverse-N3"},
    Part{0x46, 0x001, "A64FX"},           Part{0x48, 0xd01, "TaiShan v110"},
    Part{0x4e, 0x003, "Denver 2"},        Part{0x4e, 0x004, "Carmel"},
    Part{0x51, 0x001, "Oryon"},           Part{0x51, 0x800, "Kryo 2xx Gold"},
    Part{0x51, 0x801, "Kryo 2xx Silver"}, Part{0x51, 0x802, "Kryo 3xx Gold"},
    Part{0x51, 0x803, "Kryo 3xx Silver"}, Part{0x51, 0x804, "Kryo 4xx Gold"},
    Part{0x51, 0x805, "Kryo 4xx Silver"}, Part{0x61, 0x022, "Icestorm (M1)"},
    Part{0x61, 0x023, "Firestorm (M1)"},  Part{0x61, 0x032, "Blizzard (M2)"},
    Part{0x61, 0x033, "Avalanche (M2)"},  Part{0xc0, 0xac3, "Ampere-1"},
    Part{0xc0, 0xac4, "Ampere-1A"},
};

}  // namespace

std::string_view arm_part_name(std::uint32_t implementer, std::uint32_t part) {
  const auto* const at = std::find_if(kParts.begin(), kParts.end(), [&](const Part& known) {
    return known.implementer == implementer && known.part == part;
  });
  return at == kParts.end() ? std::string_view{} : at->name;
}

}  // namespace edgelm::device

// Names of scopes, as reports print them.

#include "device/power/source.h"

namespace edgelm::device {

std::string_view scope_name(Scope scope) {
  switch (scope) {
    case Scope::kWall:
      return "wall";
    case Scope::kBoard:
      return "board";
    case Scope::kModule:
      return "module";
    case Scope::kPackage:
      return "package";
    case Scope::kGpu:
      return "gpu";
    case Scope::kDram:
      return "dram";
    case Scope::kRail:
      return "rail";
    case Scope::kBattery:
      return "battery";
    case Scope::kModelled:
      return "modelled";
    case Scope::kUnknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace edgelm::device

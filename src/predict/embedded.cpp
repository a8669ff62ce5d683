// Names for the embedded bytes.

#include "predict/embedded.h"

#include <array>
#include <cstddef>

#define EDGELM_EMBEDDED(symbol)                     \
  extern "C" {                                      \
  extern const char edgelm_data_##symbol##_begin[]; \
  extern const char edgelm_data_##symbol##_end[];   \
  }

EDGELM_EMBEDDED(reference_models_csv)
EDGELM_EMBEDDED(reference_speed_csv)
EDGELM_EMBEDDED(reference_constants_csv)

namespace edgelm::predict {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view embedded_models_csv() {
  return between(edgelm_data_reference_models_csv_begin, edgelm_data_reference_models_csv_end);
}
std::string_view embedded_speed_csv() {
  return between(edgelm_data_reference_speed_csv_begin, edgelm_data_reference_speed_csv_end);
}
std::string_view embedded_constants_csv() {
  return between(edgelm_data_reference_constants_csv_begin,
                 edgelm_data_reference_constants_csv_end);
}

}  // namespace edgelm::predict

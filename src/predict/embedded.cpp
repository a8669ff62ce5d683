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
EDGELM_EMBEDDED(reference_memory_csv)
EDGELM_EMBEDDED(reference_constants_csv)
EDGELM_EMBEDDED(passports_jetson_agx_orin_64gb_json)
EDGELM_EMBEDDED(passports_jetson_orin_nano_8gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_4_4gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_4_8gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_5_16gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_5_2gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_5_4gb_json)
EDGELM_EMBEDDED(passports_raspberry_pi_5_8gb_json)
EDGELM_EMBEDDED(passports_rk3588_16gb_json)
EDGELM_EMBEDDED(passports_rk3588_24gb_json)
EDGELM_EMBEDDED(passports_rk3588_8gb_json)

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

std::string_view embedded_memory_csv() {
  return between(edgelm_data_reference_memory_csv_begin, edgelm_data_reference_memory_csv_end);
}

std::span<const EmbeddedFile> embedded_passports() {
#define EDGELM_PASSPORT(name, symbol)                                                           \
  EmbeddedFile {                                                                                \
    name, between(edgelm_data_passports_##symbol##_begin, edgelm_data_passports_##symbol##_end) \
  }
  static const std::array kFiles = {
      EDGELM_PASSPORT("jetson-agx-orin-64gb.json", jetson_agx_orin_64gb_json),
      EDGELM_PASSPORT("jetson-orin-nano-8gb.json", jetson_orin_nano_8gb_json),
      EDGELM_PASSPORT("raspberry-pi-4-4gb.json", raspberry_pi_4_4gb_json),
      EDGELM_PASSPORT("raspberry-pi-4-8gb.json", raspberry_pi_4_8gb_json),
      EDGELM_PASSPORT("raspberry-pi-5-16gb.json", raspberry_pi_5_16gb_json),
      EDGELM_PASSPORT("raspberry-pi-5-2gb.json", raspberry_pi_5_2gb_json),
      EDGELM_PASSPORT("raspberry-pi-5-4gb.json", raspberry_pi_5_4gb_json),
      EDGELM_PASSPORT("raspberry-pi-5-8gb.json", raspberry_pi_5_8gb_json),
      EDGELM_PASSPORT("rk3588-16gb.json", rk3588_16gb_json),
      EDGELM_PASSPORT("rk3588-24gb.json", rk3588_24gb_json),
      EDGELM_PASSPORT("rk3588-8gb.json", rk3588_8gb_json),
  };
#undef EDGELM_PASSPORT
  return kFiles;
}

}  // namespace edgelm::predict

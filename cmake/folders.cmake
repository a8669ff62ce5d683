# The map of the house. edgelm_folder(NAME LEVEL n DEPS lower folders... LIBS external targets...)
# makes library edgelm_NAME from src/NAME/**.cpp. tools/lint/include_rule reads this file: a folder
# may include itself, its DEPS, and what they include.

find_package(fmt REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)  # its header is all that is used
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
find_package(OpenSSL REQUIRED)
find_path(BOOST_INCLUDE_DIR boost/beast.hpp REQUIRED)      # Asio and Beast: headers alone
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)  # headers alone

include(${CMAKE_CURRENT_LIST_DIR}/embed.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/web.cmake)

set_property(GLOBAL PROPERTY EDGELM_FOLDERS "")

function(edgelm_folder name)
  cmake_parse_arguments(ARG "" "LEVEL" "DEPS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*_test.cpp)
  if(tests)
    list(REMOVE_ITEM sources ${tests})
  endif()
  set(links ${ARG_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    list(APPEND links edgelm_${dep})
  endforeach()
  if(sources)
    add_library(edgelm_${name} STATIC ${sources})
    target_include_directories(edgelm_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(edgelm_${name} PUBLIC ${links})
  else()
    add_library(edgelm_${name} INTERFACE)
    target_include_directories(edgelm_${name} INTERFACE ${PROJECT_SOURCE_DIR}/src)
    target_link_libraries(edgelm_${name} INTERFACE ${links})
  endif()
  set_property(GLOBAL APPEND PROPERTY EDGELM_FOLDERS ${name})
  set_property(GLOBAL PROPERTY EDGELM_TESTS_OF_${name} "${tests}")
endfunction()

edgelm_folder(base LEVEL 0 LIBS fmt::fmt)
target_include_directories(edgelm_base PRIVATE ${XXHASH_INCLUDE_DIR})
edgelm_folder(os LEVEL 1 DEPS base)
edgelm_folder(stats LEVEL 1 DEPS base)
edgelm_folder(threads LEVEL 2 DEPS base os LIBS Threads::Threads)
edgelm_folder(tensor LEVEL 2 DEPS base)
edgelm_folder(cache LEVEL 2 DEPS base os LIBS Threads::Threads)
target_compile_definitions(edgelm_cache PRIVATE EDGELM_VERSION="${PROJECT_VERSION}")
edgelm_folder(formats LEVEL 2 DEPS base os tensor)
edgelm_folder(api LEVEL 2 DEPS base LIBS nlohmann_json::nlohmann_json)
edgelm_folder(http LEVEL 2 DEPS base os LIBS OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
edgelm_folder(device LEVEL 3 DEPS base os stats api http LIBS Threads::Threads ${CMAKE_DL_LIBS})
edgelm_folder(econ LEVEL 3 DEPS base os)
edgelm_embed(econ data/prices.toml)
edgelm_folder(kernels LEVEL 3 DEPS base os tensor)
edgelm_folder(plan LEVEL 3 DEPS base tensor)
edgelm_folder(arch LEVEL 4 DEPS base tensor formats plan)
edgelm_folder(backend LEVEL 4 DEPS base os tensor threads cache kernels plan)
edgelm_folder(text LEVEL 4 DEPS base formats LIBS PkgConfig::PCRE2)
edgelm_folder(model LEVEL 5 DEPS base os formats arch plan text)
edgelm_folder(endpoint LEVEL 5 DEPS base os api http formats)
edgelm_folder(predict LEVEL 5 DEPS base os stats api device econ formats plan arch)
edgelm_embed(predict data/reference/models.csv data/reference/speed.csv data/reference/memory.csv
  data/reference/constants.csv
  data/passports/jetson-agx-orin-64gb.json
  data/passports/jetson-orin-nano-8gb.json
  data/passports/raspberry-pi-4-4gb.json
  data/passports/raspberry-pi-4-8gb.json
  data/passports/raspberry-pi-5-16gb.json
  data/passports/raspberry-pi-5-2gb.json
  data/passports/raspberry-pi-5-4gb.json
  data/passports/raspberry-pi-5-8gb.json
  data/passports/rk3588-16gb.json
  data/passports/rk3588-24gb.json
  data/passports/rk3588-8gb.json)
# synth needs model for its tests alone: they load what it makes.
edgelm_folder(synth LEVEL 6 DEPS base os tensor formats model)
edgelm_folder(engine LEVEL 6 DEPS base os model backend text threads)
edgelm_folder(measure LEVEL 7 DEPS base os stats api device endpoint engine model predict kernels)
edgelm_folder(quality LEVEL 7 DEPS base os stats api endpoint engine model)
edgelm_folder(report LEVEL 8 DEPS base os stats api device econ predict measure quality
  LIBS PkgConfig::SQLITE)
edgelm_web(report)

function(edgelm_add_unit_tests)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  # The scripted HTTP server that tests talk to (tests/support/loopback_server.h).
  add_library(edgelm_loopback_server STATIC
    ${PROJECT_SOURCE_DIR}/tests/support/loopback_server.cpp)
  target_include_directories(edgelm_loopback_server PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(edgelm_loopback_server PUBLIC Threads::Threads)
  get_property(folders GLOBAL PROPERTY EDGELM_FOLDERS)
  foreach(folder IN LISTS folders)
    get_property(tests GLOBAL PROPERTY EDGELM_TESTS_OF_${folder})
    if(tests)
      add_executable(${folder}_test ${tests})
      target_include_directories(${folder}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
      target_compile_definitions(${folder}_test PRIVATE
        EDGELM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
      target_link_libraries(${folder}_test PRIVATE edgelm_${folder}
        edgelm_loopback_server GTest::gtest GTest::gmock GTest::gtest_main)
      gtest_discover_tests(${folder}_test TEST_PREFIX "${folder}." DISCOVERY_MODE PRE_TEST
        PROPERTIES TIMEOUT 300 ENVIRONMENT "EDGELM_CACHE_LIMIT=0")  # not the user's own cache
    endif()
  endforeach()
  # Stand-ins for NVIDIA's management library, loaded by tests of device/power/nvml.cpp.
  foreach(stub nvml_stub nvml_stub_without_energy nvml_stub_old_names)
    add_library(edgelm_${stub} MODULE ${PROJECT_SOURCE_DIR}/tests/support/nvml_stub.cpp)
    target_include_directories(edgelm_${stub} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    add_dependencies(device_test edgelm_${stub})
  endforeach()
  target_compile_definitions(edgelm_nvml_stub_without_energy
    PRIVATE EDGELM_NVML_STUB_WITHOUT_ENERGY)
  target_compile_definitions(edgelm_nvml_stub_old_names PRIVATE EDGELM_NVML_STUB_OLD_NAMES)
  target_compile_definitions(device_test PRIVATE
    EDGELM_NVML_STUB="$<TARGET_FILE:edgelm_nvml_stub>"
    EDGELM_NVML_STUB_WITHOUT_ENERGY="$<TARGET_FILE:edgelm_nvml_stub_without_energy>"
    EDGELM_NVML_STUB_OLD_NAMES="$<TARGET_FILE:edgelm_nvml_stub_old_names>")
endfunction()

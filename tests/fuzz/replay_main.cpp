// Replays a fuzz corpus without libFuzzer, as a test of every ordinary build: each file of the
// given folders as it is, cut short at places spread over its length, and with single bytes
// changed. It stands in for libFuzzer's main(), so the targets themselves are the same in both
// builds. A parser that misbehaves crashes here; ./dev asan makes silent misbehaviour crash too.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

#include "base/random.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t kVariantsPerFile = 200;  // of each kind; small files get every position
constexpr std::size_t kVariantBytesPerFile = 64u << 20;  // so that a large file costs no more

std::size_t runs = 0;

void run(const Input& input) {
  // An exact-size copy without spare capacity, so that a sanitizer sees a read past the end.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  ++runs;
}

void run_with_variants(const Input& input, std::uint64_t seed) {
  run(input);
  if (input.empty()) return;
  const std::size_t affordable = std::max<std::size_t>(1, kVariantBytesPerFile / input.size());
  const std::size_t variants = std::min({kVariantsPerFile, affordable, input.size()});
  for (std::size_t i = 0; i < variants; ++i) {
    const std::size_t position = i * input.size() / variants;
    run(Input(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(position)));
    Input changed = input;
    // Headers come first and matter most: flip a bit near the start as often as anywhere.
    const std::size_t target = (i % 2 == 0) ? position : i;
    const std::uint64_t choice = edgelm::random_bits(seed, i);
    changed[target] =
        (choice & 1) != 0
            ? static_cast<std::uint8_t>(0xff)
            : static_cast<std::uint8_t>(changed[target] ^ (1u << ((choice >> 1) & 7)));
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  run({});
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    if (error) {
      std::fprintf(stderr, "%s: %s\n", argv[i], error.message().c_str());
      return 1;
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      std::printf("%s\n", path.c_str());
      std::fflush(stdout);  // the last line names the input that crashed
      std::ifstream file(path, std::ios::binary);
      run_with_variants({std::istreambuf_iterator<char>(file), {}}, ++files);
    }
  }
  std::printf("%zu files, %zu inputs\n", files, runs);
  if (files == 0) {
    std::fprintf(stderr, "the corpus is empty\n");
    return 1;
  }
  return 0;
}

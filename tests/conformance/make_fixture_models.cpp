// make_fixture_models FOLDER: writes every fixture model and what to ask of it (NAME.request.json).
// Called by tools/fixtures/make_goldens.sh.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "fixture_model.h"
#include "fixture_spec.h"
#include "fixture_tensors.h"

namespace {

using namespace edgelm::conformance;

bool write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) fmt::print(stderr, "{}: cannot write\n", path);
  return static_cast<bool>(file);
}

std::string request(const FixtureSpec& spec) {
  const std::uint32_t last = spec.prompt_tokens - 1;
  return fmt::format(
      R"({{"model":"{}","fingerprint":"{:016x}","vocabulary":{},"prompt_tokens":{},"ids":[{}],)"
      R"("positions":[{},{},{}]}})",
      spec.name, fingerprint(fixture_tensors(spec)), kVocabulary, spec.prompt_tokens,
      fmt::join(fixture_ids(spec), ","), last, last + 1, last + kDecodeTokens);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: make_fixture_models FOLDER\n");
    return 2;
  }
  for (const FixtureSpec& spec : fixture_specs()) {
    const std::string stem = fmt::format("{}/{}", argv[1], spec.name);
    if (!write_file(stem + ".gguf", fixture_gguf(spec))) return 1;
    if (!write_file(stem + ".request.json", request(spec))) return 1;
  }
  return 0;
}

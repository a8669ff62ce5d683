// XXH3 (Collet, github.com/Cyan4973/xxHash), compiled in: its header alone is needed to build.

#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace edgelm {

struct Hash64::State {
  XXH3_state_t xxh;  // aligned to 64 bytes, which operator new honours
};

std::uint64_t hash64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash64::Hash64() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh); }
Hash64::Hash64(Hash64&&) noexcept = default;
Hash64& Hash64::operator=(Hash64&&) noexcept = default;
Hash64::~Hash64() = default;

void Hash64::update(Bytes bytes) { XXH3_64bits_update(&state_->xxh, bytes.data(), bytes.size()); }
std::uint64_t Hash64::digest() const { return XXH3_64bits_digest(&state_->xxh); }

}  // namespace edgelm

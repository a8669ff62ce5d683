#pragma once
// Packed weights that stay on disk from one start of the program to the next. One file per packed
// image, found by what the image was made from; knows nothing of models and kernels. Anything that
// is not exactly what was asked for counts as absent: the caller packs anew, which is always right.
//
// How to call (backend/cpu/packed_weights.cpp):
//
//   EDGELM_TRY_ASSIGN(cache::Options options, cache::Options::from_environment());
//   options.notice = warn;                            // optional
//   const cache::WeightCache cache(std::move(options));
//   const cache::Key key{plan.source, kPanelLayoutVersion, table_hash};  // table: Hash64
//   if (auto image = cache.find(key, image_bytes)) {
//     use image->bytes();  // 2 MiB aligned, read-only; keep *image alive as long as the bytes
//   } else {
//     pack into memory owned by a shared_ptr<const std::byte> `packed`;
//     store_ = cache.store(key, plan.source_path, packed, image_bytes, source_hash);
//   }
//
// The table hash must cover the names of the weights, not their sizes alone: two plans of one model
// may ask for different layers of the same shapes.
//
// `store_` is a member of whoever owns the image. Its destructor finishes or gives up within five
// seconds (store.h); store_.wait() waits as long as it takes, for a benchmark that wants quiet.
// Everything here may be called from any thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cache/image.h"
#include "cache/store.h"

namespace edgelm::cache {

// Packing 64 MiB takes below 50 ms on two threads of a small machine: no file is worth that.
constexpr std::uint64_t kMinImageBytes = 64ULL << 20;
constexpr std::uint64_t kMaxLimitBytes = 16ULL << 30;

struct Options {
  std::string folder;  // holds nothing but the cache; made when first stored to. Empty: no cache
  // Of all files together. Without a value the smaller of kMaxLimitBytes and a quarter of what is
  // free, counting the cache itself as free. 0: no cache.
  std::optional<std::uint64_t> limit_bytes = {};
  std::uint64_t min_image_bytes = kMinImageBytes;  // smaller images are not stored
  double exit_seconds = 5;  // that the end of the program may take to finish a file (store.h)
  // Told in one line why an image is not stored, or that the program stays to finish it; from any
  // thread.
  std::function<void(const std::string&)> notice = {};

  // $EDGELM_CACHE_DIR, else $XDG_CACHE_HOME/edgelm, else $HOME/.cache/edgelm, in it "weights"; no
  // folder when none is set. $EDGELM_CACHE_LIMIT is a size ("8G", "500M", "0"); kUsage when it is
  // not.
  static Result<Options> from_environment();
};

// What an image is made from. Equal keys: the same bytes.
struct Key {
  std::string source = {};           // GgufFile::identity(); empty: never found, never stored
  std::uint32_t layout_version = 0;  // of the packed layout
  std::uint64_t table_hash = 0;      // of what lies where in the image
};

// What the folder holds, for people.
struct Entry {
  std::string id = {};  // names it in `edgelm cache`
  std::string label = {};
  std::string made_by = {};  // version of edgelm
  std::uint64_t file_bytes = 0;
  std::int64_t built_s = 0;  // seconds since 1970
  std::int64_t used_s = 0;
  std::string problem = {};  // why it will not be used; empty when it is well
};

class WeightCache {
 public:
  explicit WeightCache(Options options) : options_(std::move(options)) {}

  // The image, mapped, or nothing. The first find after a store that could not be waited for reads
  // the whole image to check it; any other takes well below a millisecond.
  [[nodiscard]] std::optional<Image> find(const Key& key, std::uint64_t image_bytes) const;

  // Writes the image in the background. `label` is for people (the path of the model),
  // `source_hash` of the weights as they were read, kept for those who doubt an image.
  [[nodiscard]] Store store(const Key& key, const std::string& label,
                            std::shared_ptr<const std::byte> image, std::uint64_t image_bytes,
                            std::uint64_t source_hash) const;

  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] std::uint64_t limit_bytes() const;  // as it stands now
  // Last used first. What writers that died have left is removed on the way.
  [[nodiscard]] std::vector<Entry> entries() const;
  // Reads the whole image and compares it with the hash taken when it was written.
  [[nodiscard]] Status verify(const Entry& entry) const;
  [[nodiscard]] Status remove(const Entry& entry) const;

 private:
  Options options_;
};

}  // namespace edgelm::cache

#pragma once
// What a base model predicted for the tokens of a text, kept small: per position the
// log-probability of the token that came, the `top_k` most likely tokens with theirs, and the mass
// of all others. 0.4 KB per position at 64 tokens, where whole rows take 0.1 to 0.6 MB. Layout:
// docs/quality.md. A file may come from anybody: everything is checked before it is used.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/result.h"
#include "os/file.h"
#include "os/new_file.h"

namespace edgelm::quality {

constexpr std::uint32_t kBaseFileVersion = 1;

struct BaseHeader {
  std::uint32_t n_vocab = 0;
  std::uint32_t top_k = 0;
  std::uint32_t context = 0;  // tokens per chunk
  std::uint32_t n_chunks = 0;
  std::uint32_t scored = 0;      // positions per chunk
  std::uint64_t token_hash = 0;  // Chunks::hash
  std::string model;             // the base's name
};

struct BasePosition {
  double logprob = 0;              // of the token that came
  double tail_logmass = 0;         // ln of the others' probability; -infinity for none
  std::vector<std::uint32_t> ids;  // most likely first
  std::vector<double> logprobs;
};

class BaseFile {
 public:
  static Result<BaseFile> open(const std::string& path);
  // `bytes` must outlive the result.
  static Result<BaseFile> parse(Bytes bytes, std::string name);

  [[nodiscard]] const BaseHeader& header() const { return header_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t n_positions() const {
    return std::uint64_t{header_.n_chunks} * header_.scored;
  }
  // kFormat when what stands there is no distribution. `index` below n_positions().
  Status read(std::uint64_t index, BasePosition& out) const;

 private:
  os::MappedFile map_;
  Bytes positions_;
  std::string name_;
  BaseHeader header_;
};

// Positions in order; commit() checks that all of them came.
class BaseFileWriter {
 public:
  static Result<BaseFileWriter> create(const std::string& path, const BaseHeader& header);
  Status append(const BasePosition& position);
  Status commit();

 private:
  BaseFileWriter(os::NewFile file, BaseHeader header)
      : file_(std::move(file)), header_(std::move(header)) {}
  Status write(const std::string& bytes);

  os::NewFile file_;
  BaseHeader header_;
  Hash64 hash_;
  std::uint64_t n_written_ = 0;
};

// The top_k of one row of logits.
void summarize_logits(std::span<const float> logits, std::int32_t next, std::uint32_t top_k,
                      BasePosition& out);

}  // namespace edgelm::quality

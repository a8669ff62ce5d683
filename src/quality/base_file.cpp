// Reading and writing base files.

#include "quality/base_file.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "formats/printable.h"
#include "quality/log_softmax.h"

namespace edgelm::quality {
namespace {

constexpr std::string_view kMagic = "EDGELMKL";
constexpr std::uint32_t kMaxName = 4096;
constexpr std::uint32_t kMaxVocabulary = 1U << 24;
constexpr std::size_t kChecksumBytes = 8;
// Log-probabilities are rounded to float32, and 64 of them add up.
constexpr double kMassTolerance = 1e-3;

std::size_t id_bytes(const BaseHeader& header) { return header.n_vocab <= 65536 ? 2 : 4; }

std::uint64_t position_bytes(const BaseHeader& header) {
  return 8 + std::uint64_t{header.top_k} * (id_bytes(header) + sizeof(float));
}

Status check_header(const BaseHeader& header, const std::string& name) {
  const auto refuse = [&](const char* what, std::uint64_t got, const std::string& expected) {
    return fail(ErrorCode::kFormat, "{}: {} {}, expected {}", name, what, got, expected);
  };
  if (header.n_vocab == 0 || header.n_vocab > kMaxVocabulary)
    return refuse("vocabulary of", header.n_vocab, fmt::format("1 to {}", kMaxVocabulary));
  if (header.top_k == 0 || header.top_k > header.n_vocab)
    return refuse("tokens per position:", header.top_k, fmt::format("1 to {}", header.n_vocab));
  if (header.context < 4 || header.context > (1U << 24))
    return refuse("chunks of", header.context, "4 to 16777216 tokens");
  if (header.scored != header.context - 1 - header.context / 2)
    return refuse("scored positions per chunk:", header.scored,
                  fmt::format("{}", header.context - 1 - header.context / 2));
  if (header.n_chunks == 0) return refuse("number of chunks:", 0, "1 or more");
  return {};
}

}  // namespace

Result<BaseFile> BaseFile::open(const std::string& path) {
  EDGELM_TRY_ASSIGN(os::MappedFile map, os::MappedFile::open(path));
  EDGELM_TRY_ASSIGN(BaseFile file, parse(map.bytes(), path));
  file.map_ = std::move(map);
  return file;
}

Result<BaseFile> BaseFile::parse(Bytes bytes, std::string name) {
  ByteReader reader(bytes);
  const auto magic = reader.take(kMagic.size());
  if (!magic || as_chars(*magic) != kMagic)
    return fail(ErrorCode::kFormat, "{}: expected a base file ({}), got {} bytes of something else",
                name, kMagic, bytes.size());
  const auto version = reader.read<std::uint32_t>();
  if (version && *version != kBaseFileVersion)
    return fail(ErrorCode::kUnsupported, "{}: version {} of the base file, expected {}", name,
                *version, kBaseFileVersion);
  BaseFile file;
  file.name_ = std::move(name);
  BaseHeader& header = file.header_;
  for (std::uint32_t* field :
       {&header.n_vocab, &header.top_k, &header.context, &header.n_chunks, &header.scored})
    if (const auto value = reader.read<std::uint32_t>()) *field = *value;
  const auto token_hash = reader.read<std::uint64_t>();
  const auto name_bytes = reader.read<std::uint32_t>();
  if (!token_hash || !name_bytes)
    return fail(ErrorCode::kFormat, "{}: cut short in the header, at {} bytes", file.name_,
                bytes.size());
  header.token_hash = *token_hash;
  const auto model = *name_bytes <= kMaxName ? reader.take(*name_bytes) : std::nullopt;
  if (!model)
    return fail(ErrorCode::kFormat, "{}: a model's name of {} bytes in a file of {}", file.name_,
                *name_bytes, bytes.size());
  header.model = formats::printable(as_chars(*model), kMaxName);
  EDGELM_TRY(check_header(header, file.name_));
  // context < 2^24 and n_chunks < 2^32: no product overflows but this one.
  const auto expected = checked_mul(position_bytes(header), file.n_positions());
  if (!expected || reader.remaining() != *expected + kChecksumBytes ||
      *expected + kChecksumBytes < 8)
    return fail(ErrorCode::kFormat,
                "{}: expected {} positions of {} bytes and a checksum, got {} bytes", file.name_,
                file.n_positions(), position_bytes(header), reader.remaining());
  file.positions_ = *reader.take(*expected);
  const std::uint64_t sum = *reader.read<std::uint64_t>();
  const std::uint64_t computed = hash64(bytes.first(bytes.size() - kChecksumBytes));
  if (sum != computed)
    return fail(ErrorCode::kFormat, "{}: damaged: checksum {:016x}, expected {:016x}", file.name_,
                computed, sum);
  return file;
}

Status BaseFile::read(std::uint64_t index, BasePosition& out) const {
  if (index >= n_positions())
    return fail(ErrorCode::kInternal, "{}: position {} of {}", name_, index, n_positions());
  const auto refuse = [&](std::string_view what) {
    return fail(ErrorCode::kFormat, "{}: position {}: {}", name_, index, what);
  };
  const std::uint64_t size = position_bytes(header_);
  ByteReader reader(
      positions_.subspan(static_cast<std::size_t>(index * size), static_cast<std::size_t>(size)));
  out.logprob = *reader.read<float>();
  out.tail_logmass = *reader.read<float>();
  out.ids.resize(header_.top_k);
  out.logprobs.resize(header_.top_k);
  for (std::uint32_t& id : out.ids)
    id = id_bytes(header_) == 2 ? *reader.read<std::uint16_t>() : *reader.read<std::uint32_t>();
  for (double& logprob : out.logprobs) logprob = *reader.read<float>();

  double mass = std::exp(out.tail_logmass);
  if (!(out.logprob <= kMassTolerance) || !std::isfinite(out.logprob) || std::isnan(mass))
    return refuse("a log-probability is no number at or below 0");
  for (std::size_t i = 0; i < out.ids.size(); ++i) {
    if (out.ids[i] >= header_.n_vocab) return refuse("a token is outside the vocabulary");
    if (!std::isfinite(out.logprobs[i])) return refuse("a log-probability is not finite");
    if (i > 0 && out.logprobs[i] > out.logprobs[i - 1])
      return refuse("tokens are not in order of probability");
    mass += std::exp(out.logprobs[i]);
  }
  if (!(std::abs(mass - 1) <= kMassTolerance)) return refuse("probabilities do not add up to 1");
  std::vector<std::uint32_t> sorted = out.ids;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return refuse("a token stands twice");
  return {};
}

Result<BaseFileWriter> BaseFileWriter::create(const std::string& path, const BaseHeader& header) {
  EDGELM_TRY(check_header(header, path));
  EDGELM_TRY_ASSIGN(os::NewFile file, os::NewFile::create(path));
  BaseFileWriter writer(std::move(file), header);
  ByteWriter bytes;
  bytes.write_bytes(kMagic);
  bytes.write(kBaseFileVersion);
  for (const std::uint32_t field :
       {header.n_vocab, header.top_k, header.context, header.n_chunks, header.scored})
    bytes.write(field);
  bytes.write(header.token_hash);
  const std::string model = header.model.substr(0, kMaxName);
  bytes.write(static_cast<std::uint32_t>(model.size()));
  bytes.write_bytes(model);
  EDGELM_TRY(writer.write(bytes.bytes()));
  return writer;
}

Status BaseFileWriter::write(const std::string& bytes) {
  hash_.update(as_byte_span(bytes));
  return file_.append(as_byte_span(bytes));
}

Status BaseFileWriter::append(const BasePosition& position) {
  if (position.ids.size() != header_.top_k || position.logprobs.size() != header_.top_k)
    return fail(ErrorCode::kInternal, "{} tokens of a position, expected {}", position.ids.size(),
                header_.top_k);
  ByteWriter bytes;
  bytes.write(static_cast<float>(position.logprob));
  bytes.write(static_cast<float>(position.tail_logmass));
  for (const std::uint32_t id : position.ids) {
    if (id_bytes(header_) == 2) {
      bytes.write(static_cast<std::uint16_t>(id));
    } else {
      bytes.write(id);
    }
  }
  for (const double logprob : position.logprobs) bytes.write(static_cast<float>(logprob));
  ++n_written_;
  return write(bytes.bytes());
}

Status BaseFileWriter::commit() {
  const std::uint64_t expected = std::uint64_t{header_.n_chunks} * header_.scored;
  if (n_written_ != expected)
    return fail(ErrorCode::kInternal, "{} positions written, expected {}", n_written_, expected);
  ByteWriter sum;
  sum.write(hash_.digest());
  EDGELM_TRY(file_.append(as_byte_span(sum.bytes())));
  return file_.commit();
}

void summarize_logits(std::span<const float> logits, std::int32_t next, std::uint32_t top_k,
                      BasePosition& out) {
  const double log_sum = log_sum_exp(logits);
  out.logprob = static_cast<double>(logits[static_cast<std::size_t>(next)]) - log_sum;
  std::vector<std::uint32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(top_k);
  std::partial_sort(order.begin(), end, order.end(), before);
  out.ids.assign(order.begin(), end);
  out.logprobs.clear();
  out.logprobs.reserve(top_k);
  for (const std::uint32_t id : out.ids) out.logprobs.push_back(double{logits[id]} - log_sum);
  double tail = 0;
  for (auto at = end; at != order.end(); ++at) tail += std::exp(double{logits[*at]} - log_sum);
  out.tail_logmass = std::log(tail);
}

}  // namespace edgelm::quality

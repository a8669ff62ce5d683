// Cutting, and naming the pieces.

#include "quality/chunks.h"

#include <fmt/format.h>

#include "base/hash.h"

namespace edgelm::quality {

Result<Chunks> Chunks::make(const model::Model& model, std::string_view text, std::uint32_t context,
                            std::uint32_t max_chunks) {
  const text::Tokenizer* tokenizer = model.tokenizer();
  if (tokenizer == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: no vocabulary, so text cannot be scored",
                model.file().path());
  if (context < 4)
    return fail(ErrorCode::kUsage, "chunks of {} tokens are too short, expected 4 or more",
                context);
  Chunks chunks;
  EDGELM_TRY_ASSIGN(chunks.ids_, tokenizer->encode(text, {}));
  const std::uint64_t available = chunks.ids_.size() / context;
  if (available == 0)
    return fail(
        ErrorCode::kUsage,
        "the text has {} tokens, fewer than one chunk of {}; use a longer text or a smaller -c",
        chunks.ids_.size(), context);
  chunks.context_ = context;
  chunks.count_ = static_cast<std::uint32_t>(
      max_chunks != 0 ? std::min<std::uint64_t>(max_chunks, available) : available);
  const text::SpecialTokens& special = tokenizer->special();
  if (special.add_bos) chunks.bos_ = special.bos;
  return chunks;
}

std::vector<text::TokenId> Chunks::chunk(std::uint32_t index) const {
  const auto begin = ids_.begin() + static_cast<std::ptrdiff_t>(std::size_t{index} * context_);
  std::vector<text::TokenId> chunk(begin, begin + static_cast<std::ptrdiff_t>(context_));
  if (bos_ != text::kNoToken) chunk[0] = bos_;
  return chunk;
}

std::uint64_t Chunks::hash() const {
  Hash64 hash;
  hash.update_value(context_);
  for (std::uint32_t i = 0; i < count_; ++i)
    for (const text::TokenId id : chunk(i)) hash.update_value(id);
  return hash.digest();
}

std::string Chunks::id(std::uint32_t index) const {
  Hash64 hash;
  for (const text::TokenId id : chunk(index)) hash.update_value(id);
  return fmt::format("{}-{:016x}", index, hash.digest());
}

}  // namespace edgelm::quality

// Signatures of the files that are mistaken for GGUF models.

#include "formats/identify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace edgelm::formats {
namespace {

constexpr std::uint32_t kMaxPlausibleVersion = 0xffff;

struct Signature {
  std::string_view prefix;
  std::string_view meaning;
};

// First bytes of a file. Legacy GGML magics are little-endian words, so they read reversed.
constexpr std::array kSignatures = {
    Signature{"FUGG", "is a big-endian GGUF file; edgelm reads little-endian ones"},
    Signature{"lmgg",
              "is a legacy GGML file (before GGUF, 2023); download or convert a GGUF version"},
    Signature{"fmgg",
              "is a legacy GGMF file (before GGUF, 2023); download or convert a GGUF version"},
    Signature{"tjgg",
              "is a legacy GGJT file (before GGUF, 2023); download or convert a GGUF version"},
    Signature{"algg", "is a legacy GGLA adapter (before GGUF, 2023), not a model"},
    Signature{
        "version https://git-lfs",
        "is a Git LFS pointer, not the model itself; fetch it with 'git lfs pull' or download "
        "the file from the hub"},
    Signature{"PK\x03\x04",
              "is a ZIP archive (a PyTorch checkpoint?); convert the model to GGUF first"},
    Signature{"\x80\x02", "is a pickled PyTorch checkpoint; convert the model to GGUF first"},
    Signature{"\x1f\x8b", "is gzip data; unpack it first"},
    Signature{"\x28\xb5\x2f\xfd", "is zstd data; unpack it first"},
    Signature{"BZh", "is bzip2 data; unpack it first"},
    Signature{"\xfd"
              "7zXZ",
              "is xz data; unpack it first"},
    Signature{"<?xml",
              "is an XML document, probably a storage server's error reply; download again"},
    Signature{"{", "is a JSON document (a configuration or an error reply?), not a GGUF file"},
};

bool is_html(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return false;
  std::string head(text.substr(start, 9));
  std::transform(head.begin(), head.end(), head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return head == "<!doctype" || head.starts_with("<html") || head.starts_with("<head");
}

// A safetensors file is a u64 header length, then that many bytes of JSON (at most 100 MB).
bool is_safetensors(Bytes bytes) {
  if (bytes.size() < 9) return false;
  const auto header_bytes = load_le<std::uint64_t>(bytes.data());
  return header_bytes >= 2 && header_bytes <= 100'000'000 && bytes[8] == std::byte{'{'};
}

std::string hex_bytes(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned>(byte));
  return text;
}

}  // namespace

std::optional<std::string> why_not_gguf(Bytes bytes) {
  if (bytes.empty()) return "is empty (an interrupted download?)";
  const std::string_view text = as_chars(bytes.first(std::min<std::size_t>(bytes.size(), 512)));
  if (text.starts_with("GGUF")) {
    if (bytes.size() < 8) return std::nullopt;  // the parser says where it ends
    const auto version = load_le<std::uint32_t>(bytes.data() + 4);
    if (version > kMaxPlausibleVersion && __builtin_bswap32(version) <= kMaxPlausibleVersion)
      return std::string(kSignatures[0].meaning);
    return std::nullopt;
  }
  // Before the signatures: the low byte of its length can be any character.
  if (is_safetensors(bytes)) return "is a safetensors checkpoint; convert it to GGUF first";
  for (const Signature& signature : kSignatures)
    if (text.starts_with(signature.prefix)) return std::string(signature.meaning);
  if (is_html(text))
    return "is an HTML page, not a model: the link probably led to a web page or a login; use the "
           "direct download link";
  if (text.find_first_not_of('\0') == std::string_view::npos)
    return "begins with zeros (an unfinished download?); expected the magic 'GGUF'";
  return fmt::format("is not a GGUF file: expected the magic 'GGUF', got the bytes {}",
                     hex_bytes(bytes.first(std::min<std::size_t>(bytes.size(), 4))));
}

}  // namespace edgelm::formats

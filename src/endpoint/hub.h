#pragma once
// Model files on a hub, by name, without downloading them: which files a repository has, and the
// first bytes of one, which are its GGUF header. Used by `edgelm plan`.
//
// Names, all with an optional "hf:", "hf://", "hf.co/" or "huggingface.co/" in front:
//   OWNER/REPO/path/FILE.gguf    this file
//   OWNER/REPO:FILE.gguf         the same
//   OWNER/REPO:QUANT             the file of this quantization, "Q4_K_M" (case does not matter)
//   OWNER/REPO                   the only model in it, or the one of Q4_K_M
// After REPO may stand @REVISION, a branch, a tag or a commit ("main" without it). A '/' in it is
// written %2F, but for refs/pr/N and refs/convert/NAME, as the hub's own file system has it
// (huggingface_hub, HfFileSystem).
// The hub is https://huggingface.co, or what EDGELM_HUB (or HF_ENDPOINT) names, a mirror. HF_TOKEN
// is sent to the hub over https or to this machine, never to where it redirects to, and is in no
// message.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace edgelm::endpoint {

struct HubName {
  std::string owner;
  std::string repo;
  std::string file;           // path inside the repository; empty when it is to be chosen
  std::string quant;          // "Q4_K_M"; empty unless given
  std::string revision = {};  // with its '/' as such; empty: "main"
};
// "OWNER/REPO", and "@REVISION" where one is given: for messages and names.
std::string repository_text(const HubName& name);

// Whether `name` says by its form that it means a hub and no local file: "hf:...", "hf.co/..."
// always, "OWNER/REPO..." when nothing of that name lies on disk is for the caller to decide.
bool has_hub_prefix(std::string_view name);

// kUsage, with the forms, for anything else.
Result<HubName> parse_hub_name(std::string_view name);

struct HubFile {
  std::string path;
  std::uint64_t bytes = 0;
};

struct RemotePart {
  std::string name;   // "OWNER/REPO/FILE.gguf", "OWNER/REPO@REVISION/FILE.gguf"
  std::string bytes;  // the first bytes of the file: the whole GGUF header, and more
  std::uint64_t file_bytes = 0;
};

struct RemoteHeader {
  std::string bytes;             // of the (first) file
  std::uint64_t file_bytes = 0;  // of all parts together
  std::string name;              // of the (first) file
  std::vector<RemotePart> more;  // the other parts of a model that is split into several files
};

// GGUF files of a repository, sorted by path.
Result<std::vector<HubFile>> list_gguf_files(const HubName& name);

// The file among `files` that `name` means: the first part, where it is split. kUsage with the
// choice there is, kNotFound when nothing fits.
Result<HubFile> choose_file(const std::vector<HubFile>& files, const HubName& name);

// The header of the model that `name` means; a few MiB, not the model. Also takes an http(s) URL of
// a GGUF file. kNotFound with the files there are, kPermission when the hub wants a token, kFormat
// when the file does not begin as GGUF. Whether the header makes sense is for formats/gguf.h to
// say.
Result<RemoteHeader> fetch_gguf_header(const std::string& name);

}  // namespace edgelm::endpoint

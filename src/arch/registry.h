#pragma once
// One line per architecture; arch.cpp turns these into the table.

#include "arch/arch.h"

namespace edgelm::arch {

Result<Description> describe_llama(const formats::GgufFile& file);
Result<Description> describe_qwen2(const formats::GgufFile& file);
Result<Description> describe_qwen3(const formats::GgufFile& file);

}  // namespace edgelm::arch

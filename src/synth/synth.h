#pragma once
// Models of real shapes with random weights: for measuring speed and memory without downloading
// anything. They run as fast as the real ones and say nothing. Used by `edgelm synth`, and wherever
// a model is named synth:SHAPE:TYPE.

#include "formats/gguf_writer.h"
#include "os/new_file.h"
#include "synth/recipe.h"

namespace edgelm::synth {

// The whole file, ready to be written; its weights are made while it is. The same bytes for the
// same recipe, always.
formats::GgufWriter gguf_of(const Recipe& recipe);

// The file in memory, in pages that are mapped like those of a file on disk (4 KiB each, shared),
// so that what is measured on it holds for one. kMemory, before anything is made, when the machine
// has not enough.
Result<os::NewFile> make_in_memory(const Recipe& recipe,
                                   const formats::GgufWriter::Progress& progress = {});

}  // namespace edgelm::synth

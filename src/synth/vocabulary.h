#pragma once
// A made-up vocabulary of the right size and kind: special tokens under their real names and ids,
// all bytes, and pieces of one to four letters. Text goes in and comes out whole; what a model says
// in it means nothing.

#include "formats/gguf_writer.h"
#include "synth/shapes.h"

namespace edgelm::synth {

// Sets tokenizer.ggml.*.
void add_vocabulary(const ModelShape& shape, formats::GgufWriter& writer);

}  // namespace edgelm::synth

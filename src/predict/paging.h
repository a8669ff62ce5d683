#pragma once
// Models that are larger than memory: their weights are read from storage again and again. Called
// by predict.cpp. Apart from speed.cpp because it speaks of storage and of what a system keeps, and
// gives bounds where speed.cpp gives a time.

#include <string>

#include "predict/predict.h"

namespace edgelm::predict {

// Seconds of reading from storage per pass through the weights: `low` if as little is read as
// possible, `high` if everything is.
struct PagingMemory {
  Interval token_s;  // one token
  Interval step_s;   // a step with several tokens, which uses every expert of a mixture
  std::string note;  // what was assumed
};

// Bytes touched T, usable U, excess E = T - U, storage speed as the passport tells it.
// Weights used in turn: at least E is read, at most T at half that speed (systems that evict in the
// order in which pages were used); expected is 1.7 sqrt(E T), at most T: the seven rows of the
// Raspberry Pi 5 8 GB in the reference data that page with more than 0.1 GB of excess read 1.4 to
// 2.2 times sqrt(E T) per token, median 1.7, at the 94 MB/s of its card.
// Experts of a mixture: a token needs a part of them, and each is missing with probability E / T if
// all are equally likely; at least nothing is read, as those that are used may be those that stay.
PagingMemory paging_memory(const Model& model, const device::Passport& passport,
                           const MemoryPrediction& memory);

struct PagingWork {
  double tokens = 1;
  double passes = 1;   // of tokens > 1: steps of a prompt
  double seconds = 0;  // with the weights in memory
};
// Tokens per second.
Interval paging_rate(const PagingMemory& memory, const PagingWork& work);

// Fits, by less than the border is known to.
bool near_the_border(const MemoryPrediction& memory);

}  // namespace edgelm::predict

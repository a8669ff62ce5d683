#pragma once
// What one evaluation leaves behind: the score with its uncertainty and the level of guessing, the
// items it is made of (for paired tests between two models), and answers kept for reading. Written
// by the evaluations of this folder, kept by report/. Plain data.

#include <cstdint>
#include <string>
#include <vector>

#include "base/known.h"

namespace edgelm::quality {

// One question, chunk or passage.
struct Item {
  std::string id = {};        // the same item has the same id in every evaluation of a data set
  double value = 0;           // 1 or 0 for right and wrong; a log-likelihood or a divergence else
  std::string question = {};  // kept for generated answers alone
  std::string answer = {};
  std::string expected = {};
};

struct Record {
  std::string id, run_id, time, version;  // as in measure::Record
  std::string model, model_hash, type, engine;
  std::uint64_t file_bytes = 0;
  std::string device_fingerprint;
  std::string task;      // "perplexity", "hellaswag", "mmlu", "lambada", "gsm8k", "kl", "open"
  std::string data;      // file name and a hash of the part that was used
  std::string metric;    // "perplexity", "accuracy", "acc_norm", "mean KL divergence", "pass@1"
  std::string protocol;  // the definition in one line: context, shots, seed, scoring
  Known<double> value = not_available("not computed");
  double standard_error = 0;
  double low = 0, high = 0;  // 95 %
  Known<double> random_level = not_available("not a choice task");
  std::uint64_t n = 0;
  std::vector<Item> items;
};

}  // namespace edgelm::quality

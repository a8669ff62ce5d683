#pragma once
// What is known of quality before anything was evaluated: published losses by size and by type. A
// stated figure for choosing between candidates, not a measurement of any of them.

#include <string>
#include <string_view>

#include "base/known.h"
#include "predict/model.h"

namespace edgelm::predict {

inline constexpr std::string_view kQualityPriorSource =
    "stated: loss by parameters of Hoffmann et al. 2022 (406.4 / N^0.34), and by type the "
    "perplexities of llama.cpp's table for LLaMA-3-8B; not measured on these models";

// Expected excess of ln(perplexity), lower is better; n/a for a type that the table lacks.
Known<double> expected_loss(const Model& model);

// ln(PPL / PPL of f16) of a type or mix: "Q4_K_M" 0.028.
Known<double> type_loss(std::string_view type);

}  // namespace edgelm::predict

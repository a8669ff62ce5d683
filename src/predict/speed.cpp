// The two formulas.

#include "predict/speed.h"

#include <algorithm>
#include <cmath>

namespace edgelm::predict {
namespace {

// Several types are absent from small data sets; a float vector (norms, routers) costs nothing that
// shows.
bool negligible(const Weights& w, const Model& model) {
  return w.type == "F32" &&
         static_cast<double>(w.elements) < 0.02 * static_cast<double>(model.parameters());
}

double rate_at(const std::vector<device::PerThreads>& rates, std::uint32_t threads, bool gpu) {
  return at_threads(rates, gpu ? 0 : threads);
}

tl::unexpected<Error> no_rate(const Profile& profile, const Weights& w, std::string_view phase) {
  return fail(ErrorCode::kUnsupported, "{} on {}: no {} speed is known for weights of type {}",
              profile.engine, profile.device, phase, w.type);
}

// The share of what a token reads that the last-level cache still holds from the token before. A
// cyclic walk through more than the cache leaves little of it there: it falls from 1 to 0 between
// half and twice the cache's size.
double cached_share(double bytes, double cache_bytes) {
  if (cache_bytes <= 0) return 0;
  const double ratio = bytes / cache_bytes;
  return std::clamp((2 - ratio) / 1.5, 0.0, 1.0);
}

// The caches hold more than weights: keys and values, activations, the program. Fits what this
// engine was measured to reach at 90 to 240 MB (docs/predict.md).
constexpr double kHeldBesideWeights = 0.25;

// Between measured sizes by the logarithm of the size.
double gain_at(const std::vector<CacheGain>& gains, double weight_bytes) {
  if (gains.empty()) return 1;
  const double bytes = (1 + kHeldBesideWeights) * weight_bytes;
  if (bytes <= gains.front().bytes) return gains.front().gain;
  for (std::size_t i = 1; i < gains.size(); ++i) {
    if (bytes > gains[i].bytes) continue;
    const double share =
        std::log(bytes / gains[i - 1].bytes) / std::log(gains[i].bytes / gains[i - 1].bytes);
    return gains[i - 1].gain + share * (gains[i].gain - gains[i - 1].gain);
  }
  return gains.back().gain;
}

double combine(double memory_s, double arithmetic_s, double norm) {
  const double longer = std::max(memory_s, arithmetic_s);
  if (longer <= 0) return 0;
  return longer *
         std::pow(std::pow(memory_s / longer, norm) + std::pow(arithmetic_s / longer, norm),
                  1 / norm);
}

// What threads wait for each other after the matrices of a layer: the slowest begins its last piece
// of rows when the others find nothing left. Four sections of a layer end with a matrix, one of
// them of the widest input.
double waiting_seconds(const Profile& profile, const Model& model, std::uint32_t threads, double n,
                       double macs_per_s) {
  if (threads < 2 || macs_per_s <= 0) return 0;
  const double cols = 3.0 * model.n_embd + static_cast<double>(model.widest_input);
  const double piece_s = profile.row_grain * cols * n * threads / macs_per_s;  // one thread's
  return model.n_layers * piece_s * (threads - 1) / threads;
}

double attention_seconds(double macs, double rate_per_thread, const Profile& profile,
                         std::uint32_t threads) {
  if (rate_per_thread <= 0) return 0;
  return macs / (rate_per_thread * (profile.gpu ? 1 : std::max(threads, 1U)));
}

Term decode_term(const StepTime& step) {
  const double rest = step.overhead_s;
  if (rest > step.memory_s && rest > step.arithmetic_s && rest > step.attention_s)
    return Term::kOverhead;
  if (step.attention_s > step.memory_s && step.attention_s > step.arithmetic_s)
    return Term::kArithmetic;
  return step.memory_s >= step.arithmetic_s ? Term::kBandwidth : Term::kDequantization;
}

}  // namespace

Result<StepTime> decode_time(const Profile& profile, const Model& model, std::uint32_t threads,
                             double positions, double kv_element_bytes) {
  StepTime step;
  const double kv_bytes = static_cast<double>(
      model.kv_bytes(static_cast<std::uint64_t>(std::max(positions, 0.0)), kv_element_bytes));
  step.bytes = model.bytes_per_token() + kv_bytes;
  step.weights = model.active_parameters();
  const bool gains = !profile.cache_gains.empty();
  const double gain = gain_at(profile.cache_gains, model.bytes_per_token());
  const double cached = gains ? 0 : cached_share(model.bytes_per_token(), profile.cache_bytes);
  const double bandwidth = rate_at(profile.bandwidth, threads, profile.gpu);
  if (bandwidth <= 0)
    return fail(ErrorCode::kUnsupported, "{} on {}: no read bandwidth is known", profile.engine,
                profile.device);
  bool measured = false;
  double measured_s = 0;
  for (const Weights& w : model.weights) {
    if (w.share <= 0 || negligible(w, model)) continue;
    const TypeRate* type = profile.find_type(w.type);
    if (type == nullptr) return no_rate(profile, w, "decode");
    const double rate = rate_at(type->decode_weights_per_s, threads, profile.gpu);
    if (rate <= 0) return no_rate(profile, w, "decode");
    const double bytes = w.share * static_cast<double>(w.bytes);
    const double arithmetic_s = w.share * static_cast<double>(w.elements) / rate;
    const double from_memory = rate_at(type->memory_bytes_per_s, threads, profile.gpu);
    const double memory_s = bytes / gain / (from_memory > 0 ? from_memory : bandwidth);
    step.memory_s += memory_s;
    step.arithmetic_s += arithmetic_s;
    if (from_memory > 0) {
      measured = true;
      // Reading and multiplying overlap, so the caches cannot make it faster than the arithmetic.
      measured_s += cached * arithmetic_s + (1 - cached) * std::max(memory_s, arithmetic_s);
    }
  }
  step.overhead_s =
      profile.token_overhead_s +
      model.n_layers * (profile.layer_overhead_s +
                        profile.activation_s * static_cast<double>(model.activation_floats));
  step.attention_s = attention_seconds(model.attention_macs(positions),
                                       profile.decode_attention_macs_per_s, profile, threads);
  if (measured) {
    step.memory_s *= 1 - cached;
    step.attention_s = std::max(step.attention_s, kv_bytes / bandwidth);
    step.seconds = measured_s + step.attention_s + step.overhead_s;
  } else {
    step.memory_s += kv_bytes / bandwidth;
    step.seconds = combine(step.memory_s, step.arithmetic_s, profile.norm) + step.attention_s +
                   step.overhead_s;
  }
  step.term = decode_term(step);
  return step;
}

Result<StepTime> prefill_time(const Profile& profile, const Model& model, std::uint32_t threads,
                              double n, double depth) {
  StepTime step;
  if (n <= 0) return step;
  double head_s = 0;
  double layer_bytes = 0;
  for (const Weights& w : model.weights) {
    if (w.share <= 0 || negligible(w, model)) continue;
    const TypeRate* type = profile.find_type(w.type);
    if (type == nullptr) return no_rate(profile, w, "prefill");
    const double rate = rate_at(type->prefill_macs_per_s, threads, profile.gpu);
    if (rate <= 0) return no_rate(profile, w, "prefill");
    const double macs = w.share * static_cast<double>(w.elements);
    if (w.part == Part::kHead) {
      const double decode = rate_at(type->decode_weights_per_s, threads, profile.gpu);
      head_s += decode > 0 ? macs / decode : 0;
      continue;
    }
    step.arithmetic_s += n * macs / rate;
    step.weights += n * macs;
    layer_bytes += static_cast<double>(w.bytes);
  }
  const double bandwidth = rate_at(profile.bandwidth, threads, profile.gpu);
  const double steps = std::ceil(n / std::max(1U, profile.batch_tokens));
  step.bytes = steps * layer_bytes;
  const double cached = cached_share(layer_bytes, profile.cache_bytes);
  step.memory_s = bandwidth > 0 ? (1 - cached) * step.bytes / bandwidth : 0;
  step.attention_s = attention_seconds(n * model.attention_macs(depth + n / 2),
                                       profile.prefill_attention_macs_per_s, profile, threads);
  const double workers = std::max(threads, 1U);
  // A thread works on whole tokens, of which others computed all columns but its own.
  const double float_s = profile.activation_s + profile.transfer_s * (workers - 1) / workers;
  const double activations =
      n * model.n_layers * float_s * static_cast<double>(model.activation_floats) / workers;
  step.overhead_s = profile.prefill_overhead_s + activations +
                    steps * (profile.token_overhead_s + model.n_layers * profile.layer_overhead_s);
  if (step.arithmetic_s > 0)
    step.overhead_s +=
        waiting_seconds(profile, model, threads, n, step.weights / step.arithmetic_s);
  step.seconds =
      std::max(step.arithmetic_s, step.memory_s) + head_s + step.attention_s + step.overhead_s;
  const double work = std::max(step.arithmetic_s + step.attention_s, step.memory_s);
  step.term = step.overhead_s > work              ? Term::kOverhead
              : step.memory_s > step.arithmetic_s ? Term::kBandwidth
                                                  : Term::kArithmetic;
  return step;
}

void power_terms(const StepTime& step, std::uint32_t threads, double (&terms)[kPowerTerms]) {
  const double busy =
      step.seconds > 0 ? std::min(1.0, (step.arithmetic_s + step.attention_s) / step.seconds) : 0;
  terms[0] = 1;
  terms[1] = threads;
  terms[2] = threads * busy;
  terms[3] = step.seconds > 0 ? step.bytes / step.seconds / 1e9 : 0;
  terms[4] = step.seconds > 0 ? step.weights / step.seconds / 1e9 : 0;
}

double watts_of(const PowerModel& power, const StepTime& step, std::uint32_t threads) {
  double terms[kPowerTerms];
  power_terms(step, threads, terms);
  return power.base * terms[0] + power.per_thread * terms[1] + power.per_busy_thread * terms[2] +
         power.per_gigabyte * terms[3] + power.per_gigaweight * terms[4];
}

}  // namespace edgelm::predict

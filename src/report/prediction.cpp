// What the predictor would have said of a measured cell, from the figures that its record keeps:
// for the comparison of prediction with measurement. The only place of report/ that calls predict/.

#include "predict/predict.h"

#include <utility>

#include "report/rows.h"

namespace edgelm::report {

Known<predict::Prediction> predict_record(const measure::Record& record) {
  const measure::Settings& s = record.settings;
  if (s.engine.starts_with("endpoint"))
    return not_available("prediction speaks of this engine, not of an endpoint");
  if (!record.shape) return not_available("the model's shape: " + record.shape.error().reason);
  if (record.passport.speeds.kernels.empty())
    return not_available(
        "the speeds of this device's kernels are not known; `edgelm device` measures and keeps "
        "them");
  // The best come first, and theirs are the speeds that a passport keeps.
  const std::vector<std::string>& isa = record.passport.cpu.isa;
  if (!isa.empty() && !s.isa.empty() && s.isa != isa.front())
    return not_available("prediction speaks of this processor's best kernels, " + isa.front());
  const predict::Device device = predict::device_of(record.passport);
  const predict::Profile* profile = device.find("edgelm", "");
  if (profile == nullptr)
    return not_available(device.why_not_here.empty() ? "no profile of this engine on this device"
                                                     : device.why_not_here);
  predict::Request request;
  if (s.threads > 0) request.threads = {s.threads};
  request.prompt_tokens = s.prompt_tokens;
  request.decode_tokens = s.decode_tokens;
  request.depth_tokens = s.context_tokens;
  request.context_tokens = s.context_tokens + s.prompt_tokens + s.decode_tokens;
  request.kv_type = s.kv_type;
  auto prediction = predict::predict(*record.shape, device, *profile, request);
  if (!prediction) return not_available(prediction.error().message);
  return std::move(*prediction);
}

}  // namespace edgelm::report

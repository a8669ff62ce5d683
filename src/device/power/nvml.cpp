// The library, its symbols, the two ways in which a GPU tells its energy, and why it slows down.

#include "device/power/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>
#include <utility>

#include "device/power/checked_reading.h"

namespace edgelm::device {
namespace {

constexpr int kSuccess = 0;
constexpr int kNoPermission = 4;
constexpr unsigned kMostGpus = 64;
// Clocks event reasons (NVML API Reference, "NvmlClocksEventReasons"). Idleness, clocks that were
// set, and GPUs that keep each other's pace are no throttling.
constexpr unsigned long long kPowerCap = 0x4;
constexpr unsigned long long kHardwareSlowdown = 0x8;     // sum of the two below, or of its own
constexpr unsigned long long kTemperature = 0x20 | 0x40;  // by the driver, by the hardware
constexpr unsigned long long kPowerBrake = 0x80;
using Device = void*;

class Library {
 public:
  static Result<std::shared_ptr<Library>> load(const std::string& path) {
    std::shared_ptr<Library> library(new Library);
    library->handle_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library->handle_ == nullptr)
      return fail(ErrorCode::kNotFound, "{}: {}", path, last_error());
    EDGELM_TRY(library->bind(path));
    EDGELM_TRY(library->check(library->init(), "nvmlInit_v2"));
    library->begun_ = true;
    return library;
  }
  ~Library() {
    if (begun_) shutdown();
    if (handle_ != nullptr) ::dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] Status check(int code, std::string_view what) const {
    if (code == kSuccess) return {};
    const char* words = error_string(code);
    return fail(code == kNoPermission ? ErrorCode::kPermission : ErrorCode::kIo, "NVML: {}: {}",
                what, words == nullptr ? "unknown error" : words);
  }

  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  const char* (*error_string)(int) = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*by_index)(unsigned, Device*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*power)(Device, unsigned*) = nullptr;              // milliwatts
  int (*energy)(Device, unsigned long long*) = nullptr;   // millijoules; absent in old libraries
  int (*reasons)(Device, unsigned long long*) = nullptr;  // bits; absent in old libraries

 private:
  Library() = default;

  static std::string last_error() {
    const char* words = ::dlerror();
    return words == nullptr ? "cannot be loaded" : words;
  }

  template <class F>
  Status find(const std::string& path, const char* symbol, F*& function) {
    function = reinterpret_cast<F*>(::dlsym(handle_, symbol));
    if (function != nullptr) return {};
    return fail(ErrorCode::kUnsupported, "{}: has no {}", path, symbol);
  }

  Status bind(const std::string& path) {
    EDGELM_TRY(find(path, "nvmlInit_v2", init));
    EDGELM_TRY(find(path, "nvmlShutdown", shutdown));
    EDGELM_TRY(find(path, "nvmlErrorString", error_string));
    EDGELM_TRY(find(path, "nvmlDeviceGetCount_v2", count));
    EDGELM_TRY(find(path, "nvmlDeviceGetHandleByIndex_v2", by_index));
    EDGELM_TRY(find(path, "nvmlDeviceGetName", name));
    EDGELM_TRY(find(path, "nvmlDeviceGetPowerUsage", power));
    if (!find(path, "nvmlDeviceGetTotalEnergyConsumption", energy)) energy = nullptr;
    // The second is the older name of the same function (in R525's reference the only one), which
    // CUDA 13 deprecates.
    if (!find(path, "nvmlDeviceGetCurrentClocksEventReasons", reasons) &&
        !find(path, "nvmlDeviceGetCurrentClocksThrottleReasons", reasons))
      reasons = nullptr;
    return {};
  }

  void* handle_ = nullptr;
  bool begun_ = false;
};

struct Gpu {
  std::shared_ptr<Library> library;
  Device device = nullptr;
  SensorInfo info;
};

Result<Gpu> gpu_at(const std::shared_ptr<Library>& library, unsigned index) {
  Gpu gpu{library, nullptr, {}};
  EDGELM_TRY(library->check(library->by_index(index, &gpu.device), "GPU"));
  std::array<char, 96> name{};
  if (library->name(gpu.device, name.data(), name.size() - 1) != kSuccess) name[0] = '\0';
  name.back() = '\0';
  unsigned long long millijoules = 0;
  SensorInfo& info = gpu.info;
  info.counter =
      library->energy != nullptr && library->energy(gpu.device, &millijoules) == kSuccess;
  info.id = index == 0 ? "nvml" : fmt::format("nvml:{}", index);
  info.name = fmt::format("NVIDIA GPU {} ({}), {}", index, name.data(),
                          info.counter ? "energy counter" : "power");
  info.scope = Scope::kGpu;
  info.period_s = 0.1;
  info.update_s = info.counter ? 0.1 : 1;
  info.min_window_s = info.counter ? 2 : 10;
  info.relative_uncertainty = 0.05;
  info.quantum = 1e-3;
  return gpu;
}

// One GPU's reasons as words.
class GpuThrottle {
 public:
  GpuThrottle(std::shared_ptr<Library> library, Device device)
      : library_(std::move(library)), device_(device) {}

  // Whether this GPU tells reasons at all.
  [[nodiscard]] bool works() const {
    unsigned long long bits = 0;
    return library_->reasons != nullptr && library_->reasons(device_, &bits) == kSuccess;
  }

  void add_to(std::vector<std::string_view>& words) {
    unsigned long long bits = 0;
    if (library_->reasons(device_, &bits) != kSuccess) bits = 0;
    if ((bits & kPowerCap) != 0) words.emplace_back("GPU power cap");
    if ((bits & kTemperature) != 0) words.emplace_back("GPU temperature");
    if ((bits & kPowerBrake) != 0) words.emplace_back("GPU power brake");
    // Alone it is also reported for a moment at any change of clocks: believed when it stays.
    const bool alone =
        (bits & kHardwareSlowdown) != 0 && (bits & (kTemperature | kPowerBrake)) == 0;
    if (alone && slow_before_) words.emplace_back("GPU hardware slowdown");
    slow_before_ = alone;
  }

 private:
  std::shared_ptr<Library> library_;
  Device device_;
  bool slow_before_ = false;
};

class Nvml final : public EnergySource {
 public:
  Nvml(Gpu gpu, Clock now) : gpu_(std::move(gpu)), now_(std::move(now)) {}

  const SensorInfo& info() const override { return gpu_.info; }

  Result<Reading> read() override {
    bool restart = false;
    Result<Reading> reading = timed(
        now_, [&]() -> Result<double> { return gpu_.info.counter ? joules(restart) : watts(); });
    if (reading) reading->restart = restart;
    return reading;
  }

 private:
  Result<double> watts() {
    unsigned milliwatts = 0;
    const Library& library = *gpu_.library;
    EDGELM_TRY(library.check(library.power(gpu_.device, &milliwatts), "power"));
    return plausible_watts(static_cast<double>(milliwatts) * 1e-3, gpu_.info.id);
  }

  // Since the driver was loaded; a driver that is loaded again begins at 0.
  Result<double> joules(bool& restart) {
    unsigned long long millijoules = 0;
    const Library& library = *gpu_.library;
    EDGELM_TRY(library.check(library.energy(gpu_.device, &millijoules), "energy"));
    restart = begun_ && millijoules < last_;
    if (begun_ && !restart) total_ += static_cast<double>(millijoules - last_) * 1e-3;
    begun_ = true;
    last_ = millijoules;
    return total_;
  }

  Gpu gpu_;
  Clock now_;
  bool begun_ = false;
  unsigned long long last_ = 0;
  double total_ = 0;
};

}  // namespace

std::vector<SensorInfo> list_nvml(const os::SystemFiles& files, const std::string& library) {
  if (!files.root().empty()) return {};
  const Result<std::shared_ptr<Library>> nvml = Library::load(library);
  if (!nvml) {
    if (nvml.error().code == ErrorCode::kNotFound) return {};
    SensorInfo info;
    info.id = "nvml";
    info.name = "NVIDIA GPU";
    info.scope = Scope::kGpu;
    info.not_readable = nvml.error().message;
    info.hint = "check that nvidia-smi works";
    return {info};
  }
  unsigned count = 0;
  if ((*nvml)->count(&count) != kSuccess) count = 0;
  std::vector<SensorInfo> sensors;
  for (unsigned i = 0; i < std::min(count, kMostGpus); ++i) {
    Result<Gpu> gpu = gpu_at(*nvml, i);
    if (gpu) sensors.push_back(std::move(gpu->info));
  }
  return sensors;
}

ThrottleWatch watch_nvml(const os::SystemFiles& files, const std::string& library) {
  if (!files.root().empty()) return nullptr;
  const Result<std::shared_ptr<Library>> nvml = Library::load(library);
  unsigned count = 0;
  if (!nvml || (*nvml)->count(&count) != kSuccess) return nullptr;
  std::vector<GpuThrottle> gpus;
  for (unsigned i = 0; i < std::min(count, kMostGpus); ++i) {
    Device device = nullptr;
    if ((*nvml)->by_index(i, &device) != kSuccess) continue;
    GpuThrottle gpu(*nvml, device);
    if (gpu.works()) gpus.push_back(std::move(gpu));
  }
  if (gpus.empty()) return nullptr;
  return [gpus = std::move(gpus)]() mutable {
    std::vector<std::string_view> words;
    for (GpuThrottle& gpu : gpus) gpu.add_to(words);
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::string text;
    for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
    return text;
  };
}

Result<std::unique_ptr<EnergySource>> open_nvml(const std::string& id, Clock now,
                                                const std::string& library) {
  unsigned index = 0;
  if (id != "nvml") {
    const std::string_view digits =
        std::string_view(id).substr(std::min<std::size_t>(id.size(), 5));
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (!id.starts_with("nvml:") || error != std::errc{} || end != digits.data() + digits.size() ||
        index >= kMostGpus)
      return fail(ErrorCode::kUsage, "{}: expected nvml or nvml:NUMBER", id);
  }
  EDGELM_TRY_ASSIGN(const std::shared_ptr<Library> nvml, Library::load(library));
  EDGELM_TRY_ASSIGN(Gpu gpu, gpu_at(nvml, index));
  return std::make_unique<Nvml>(std::move(gpu), std::move(now));
}

}  // namespace edgelm::device

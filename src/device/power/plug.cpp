// Requests, answers, and what is wrong with them.

#include "device/power/plug.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "api/json.h"
#include "device/power/checked_reading.h"
#include "http/client.h"
#include "http/digest.h"

namespace edgelm::device {
namespace {

using api::Json;

struct Address {
  std::string host;
  unsigned outlet = 0;
};

Result<Address> address_of(const std::string& text) {
  Address address;
  // Not repeated: ids stand in messages and records.
  if (text.find('@') != std::string::npos)
    return fail(ErrorCode::kUsage,
                "a plug's address with user or password before '@': not accepted, they would show "
                "in messages and records; type: export EDGELM_PLUG_PASSWORD='...'");
  const std::size_t slash = text.find('/');
  address.host = text.substr(0, slash);
  if (slash != std::string::npos) {
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data() + slash + 1, last, address.outlet);
    if (error != std::errc{} || end != last || address.outlet > 99)
      return fail(ErrorCode::kUsage, "{}: expected HOST or HOST/OUTLET", text);
  }
  const bool plain = std::all_of(address.host.begin(), address.host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
  if (address.host.empty() || !plain)
    return fail(ErrorCode::kUsage, "'{}' is no host name or address of a plug", address.host);
  return address;
}

std::string from_environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

std::string base64(std::string_view bytes) {  // RFC 4648
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t j = 0; j < 4; ++j)
      text += j < digits ? kDigits[group >> (18 - 6 * j) & 63U] : '=';
  }
  return text;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain)
      encoded += c;
    else
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

class Plug final : public EnergySource {
 public:
  Plug(std::string id, Address address, Clock now, int patience_ms)
      : address_(std::move(address)),
        now_(std::move(now)),
        patience_(patience_ms),
        password_(from_environment("EDGELM_PLUG_PASSWORD", "")),
        user_(from_environment("EDGELM_PLUG_USER", "admin")),
        login_("admin", password_) {
    info_.id = std::move(id);
    info_.scope = Scope::kWall;
    info_.period_s = 1;
    info_.update_s = 1;
    info_.min_window_s = 60;
    info_.relative_uncertainty = 0.02;  // assumed; makers promise 1 to 3 %
  }

  // Which generation answers at /shelly: only the second one says "gen". No password is needed
  // there, and none is sent before it is known how.
  Status find_generation() {
    EDGELM_TRY_ASSIGN(const std::string body, get("/shelly", Login::kNone));
    EDGELM_TRY_ASSIGN(const Json json, api::parse(body, info_.id));
    const Json* gen = api::find(json, "gen");
    if (gen == nullptr && api::find(json, "type") == nullptr)
      return fail(ErrorCode::kFormat, "{}: {} does not say that it is a Shelly plug", info_.id,
                  address_.host);
    set_kind(gen == nullptr ? PlugKind::kShellyGen1 : PlugKind::kShellyGen2);
    return {};
  }

  void set_kind(PlugKind kind) {
    kind_ = kind;
    switch (kind) {
      case PlugKind::kShellyGen1:
        target_ = fmt::format("/meter/{}", address_.outlet);
        break;
      case PlugKind::kShellyGen2:
        target_ = fmt::format("/rpc/Switch.GetStatus?id={}", address_.outlet);
        break;
      case PlugKind::kTasmota:
        target_ = "/cm?cmnd=Status%208";
        break;
    }
    // Tasmota shows whole watts unless told otherwise (WattRes), Shellys tenths.
    info_.quantum = kind == PlugKind::kTasmota ? 1 : 0.1;
    info_.name =
        fmt::format("{} plug {}, outlet {}", kind == PlugKind::kTasmota ? "Tasmota" : "Shelly",
                    address_.host, address_.outlet);
  }

  const SensorInfo& info() const override { return info_; }

  Result<Reading> read() override {
    return timed(now_, [this]() -> Result<double> {
      EDGELM_TRY_ASSIGN(const std::string body, get(target_, login_of(kind_)));
      Result<double> watts = plug_watts(kind_, body, info_.id);
      if (!watts && watts.error().code == ErrorCode::kPermission) return fail(refused());
      return watts;
    });
  }

 private:
  enum class Login { kNone, kBasic, kDigest, kQuery };

  static Login login_of(PlugKind kind) {
    if (kind == PlugKind::kTasmota) return Login::kQuery;
    return kind == PlugKind::kShellyGen1 ? Login::kBasic : Login::kDigest;
  }

  Result<http::Response> ask(http::Request& request, Login login) {
    if (login == Login::kDigest) return login_.fetch(connection_, request);
    if (!password_.empty() && login == Login::kQuery)
      request.url +=
          fmt::format("&user={}&password={}", percent_encoded(user_), percent_encoded(password_));
    else if (!password_.empty() && login == Login::kBasic)
      request.headers.emplace_back("Authorization", "Basic " + base64(user_ + ":" + password_));
    return connection_.fetch(request);
  }

  Result<std::string> get(const std::string& target, Login login) {
    http::Request request;
    request.url = fmt::format("http://{}{}", address_.host, target);
    request.connect_timeout = patience_;
    request.idle_timeout = patience_;
    request.total_timeout = patience_;
    request.max_body_bytes = 64 << 10;
    EDGELM_TRY_ASSIGN(http::Response response, ask(request, login));
    if (response.status == 401 || response.status == 403) return fail(refused());
    if (response.status != 200)
      return fail(ErrorCode::kIo, "{}: the plug answers with status {}", info_.id, response.status);
    return std::move(response.body);
  }

  [[nodiscard]] Error refused() const {
    if (password_.empty())
      return {ErrorCode::kPermission,
              fmt::format("{}: the plug wants a password; type: export EDGELM_PLUG_PASSWORD='...'",
                          info_.id)};
    return {ErrorCode::kPermission,
            fmt::format("{}: the plug refuses the password in EDGELM_PLUG_PASSWORD; type: export "
                        "EDGELM_PLUG_PASSWORD='...'{}",
                        info_.id,
                        kind_ == PlugKind::kShellyGen2
                            ? " with the one set in its web page (the user is always admin)"
                            : ", and EDGELM_PLUG_USER where the user is not admin")};
  }

  Address address_;
  Clock now_;
  std::chrono::milliseconds patience_;
  std::string password_;
  std::string user_;         // of Gen1 and Tasmota
  http::DigestLogin login_;  // of Gen2, whose user is always "admin"
  SensorInfo info_;
  PlugKind kind_ = PlugKind::kShellyGen1;
  std::string target_;
  http::Connection connection_;
};

Result<double> tasmota_watts(const Json& json, const std::string& name) {
  if (const Json* warning = api::find(json, "WARNING"); warning != nullptr)
    return fail(ErrorCode::kPermission, "{}: the plug wants a password, or another one", name);
  const Json* status = api::find(json, "StatusSNS");
  const Json* energy = status == nullptr ? nullptr : api::find(*status, "ENERGY");
  if (energy == nullptr)
    return fail(ErrorCode::kFormat, "{}: no StatusSNS.ENERGY in the answer: no meter in this plug",
                name);
  const Json* power = api::find(*energy, "Power");
  if (power == nullptr || !power->is_array()) return api::number_at(*energy, "Power", name);
  double watts = 0;
  for (const Json& outlet : *power) {
    if (!outlet.is_number())
      return fail(ErrorCode::kFormat, "{}: StatusSNS.ENERGY.Power: expected numbers, got {}", name,
                  outlet.type_name());
    watts += outlet.get<double>();
  }
  return watts;
}

Result<std::unique_ptr<EnergySource>> open_plug(std::string id, const std::string& host, Clock now,
                                                int patience_ms, bool tasmota) {
  EDGELM_TRY_ASSIGN(Address address, address_of(host));
  auto plug =
      std::make_unique<Plug>(std::move(id), std::move(address), std::move(now), patience_ms);
  if (tasmota) {
    plug->set_kind(PlugKind::kTasmota);
  } else {
    EDGELM_TRY(plug->find_generation());
  }
  EDGELM_TRY(plug->read());
  return plug;
}

}  // namespace

Result<double> plug_watts(PlugKind kind, std::string_view body, const std::string& name) {
  EDGELM_TRY_ASSIGN(const Json json, api::parse(body, name));
  double watts = 0;
  if (kind == PlugKind::kTasmota) {
    EDGELM_TRY_ASSIGN(watts, tasmota_watts(json, name));
  } else {
    const Json* valid = api::find(json, "is_valid");
    if (valid != nullptr && valid->is_boolean() && !valid->get<bool>())
      return fail(ErrorCode::kIo, "{}: the plug says that its meter is not valid now", name);
    EDGELM_TRY_ASSIGN(
        watts, api::number_at(json, kind == PlugKind::kShellyGen1 ? "power" : "apower", name));
  }
  return plausible_watts(watts, name);
}

Result<std::unique_ptr<EnergySource>> open_shelly(const std::string& host, Clock now,
                                                  int patience_ms) {
  return open_plug("shelly:" + host, host, std::move(now), patience_ms, false);
}

Result<std::unique_ptr<EnergySource>> open_tasmota(const std::string& host, Clock now,
                                                   int patience_ms) {
  return open_plug("tasmota:" + host, host, std::move(now), patience_ms, true);
}

}  // namespace edgelm::device

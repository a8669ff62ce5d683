#pragma once
// Power plugs in the local network, asked over HTTP: Shelly (both generations) and Tasmota. What
// they measure is the wall: the whole device with its power supply. Opened by sources.cpp as
// "shelly:HOST" and "tasmota:HOST", each with "/N" for another outlet than 0.

#include <memory>
#include <string>
#include <string_view>

#include "device/power/source.h"

namespace edgelm::device {

enum class PlugKind { kShellyGen1, kShellyGen2, kTasmota };

// Asks the plug what it is, and reads it once. A password, where the plug wants one, comes from the
// environment: EDGELM_PLUG_PASSWORD, EDGELM_PLUG_USER (else "admin"). Gen1 gets it by Basic, Gen2
// as the digest of http/digest.h (user "admin", always), Tasmota in the query. It is in no message
// and no SensorInfo. `patience_ms` limits each request; with a digest a reading may take three.
Result<std::unique_ptr<EnergySource>> open_shelly(const std::string& host, Clock now,
                                                  int patience_ms = 3000);
Result<std::unique_ptr<EnergySource>> open_tasmota(const std::string& host, Clock now,
                                                   int patience_ms = 3000);

// Watts in an answer: Gen1 /meter/N, Gen2 Switch.GetStatus, Tasmota Status 8 or 10 (the outlets'
// sum). `name` is for messages.
Result<double> plug_watts(PlugKind kind, std::string_view body, const std::string& name);

}  // namespace edgelm::device

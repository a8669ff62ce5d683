#pragma once
// What the command line of `edgelm bench` asks for, and the one list of its flags.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "measure/phase.h"

namespace edgelm::apps {

struct BenchOptions {
  // What is measured: every combination.
  std::vector<std::string> models;
  std::vector<std::string> types;  // for synth:SHAPE and names with {type}
  std::vector<std::uint32_t> prompts = {128, 512};
  std::vector<std::uint32_t> decodes = {32, 128};
  std::vector<std::uint32_t> threads;
  std::vector<std::uint32_t> batches = {256};
  std::vector<std::uint32_t> depths = {0};
  std::vector<std::uint32_t> sequences = {1};
  std::vector<std::string> kv_types = {"f16"};
  std::vector<std::string> power_modes;
  std::string power_mode_command;  // "sudo my-mode {mode}"
  std::string power_mode_after;    // that it is given at the end
  backend::CpuOptions cpu;         // but for the threads

  // A server instead of this engine.
  std::string endpoint;
  std::string api_key_env;

  // How.
  measure::Pace pace;
  std::string power = "auto";
  bool cold_load = true;
  bool probe = true;  // the memory's bandwidth before each repetition
  bool force = false;
  double timeout_s = 3600;
  std::uint64_t seed = 0;  // of the order; 0: another one in every call
  // Kept where.
  bool keep = true;
  std::string store;  // "": the default one
  std::string label;
  bool start_over = false;

  std::string output = "md";
};

void add_bench_options(CLI::App& command, BenchOptions& options);

}  // namespace edgelm::apps

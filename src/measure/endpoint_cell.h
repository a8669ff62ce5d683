#pragma once
// One cell of a sweep, measured on a server: any OpenAI-compatible one on this device (Ollama,
// llama.cpp, edgelm's own), from outside and with the sensors of this device. The same phases as a
// cell of this engine, as far as requests can show them; what cannot be told apart is n/a.

#include "endpoint/endpoint.h"
#include "measure/cell.h"

namespace edgelm::measure {

// The definitions of what is measured on servers.
std::string_view endpoint_definitions();

// `spec.settings`: prompt_tokens is about how long prompts are, decode_tokens how much is asked
// for, context_tokens the length of the prompt before what is decoded.
Record measure_endpoint(const CellSpec& spec, endpoint::Endpoint& server,
                        const Surroundings& around);

}  // namespace edgelm::measure

#pragma once
// An OpenAI-compatible server with scripted answers, for tests of what talks to one (endpoint,
// measure, quality): /v1/models lists `models`, everything else goes to the given handler.

#include <string>
#include <utility>
#include <vector>

#include "api/json.h"
#include "endpoint/endpoint.h"
#include "support/loopback_server.h"

namespace edgelm::test {

class ScriptedApi {
 public:
  explicit ScriptedApi(LoopbackServer::Handler handler, std::string owner = "someone",
                       std::vector<std::string> models = {"m"})
      : handler_(std::move(handler)),
        owner_(std::move(owner)),
        models_(std::move(models)),
        server_(
            [this](const HttpRequest& request, Exchange& exchange) { serve(request, exchange); }) {}

  [[nodiscard]] std::string url(std::string_view path = "") const { return server_.url(path); }
  [[nodiscard]] LoopbackServer& server() { return server_; }

  // Connected with patience for nothing; the test fails by the null pointer it gets otherwise.
  [[nodiscard]] std::unique_ptr<endpoint::Endpoint> connect(endpoint::Options options = {}) const {
    options.url = url();
    options.retry_wait = std::chrono::milliseconds(1);
    auto connected = endpoint::Endpoint::connect(options);
    return connected ? *std::move(connected) : nullptr;
  }

  // The bodies of the POST requests so far.
  [[nodiscard]] std::vector<api::Json> bodies() const {
    std::vector<api::Json> result;
    for (const HttpRequest& request : server_.requests()) {
      if (request.method == "POST") result.push_back(api::parse(request.body, "body").value());
    }
    return result;
  }

 private:
  void serve(const HttpRequest& request, Exchange& exchange) {
    if (request.path() == "/v1/models") {
      api::Json list = api::Json::array();
      for (const std::string& id : models_)
        list.push_back({{"id", id}, {"object", "model"}, {"owned_by", owner_}});
      exchange.respond(200, api::dump({{"object", "list"}, {"data", list}}));
    } else if (request.path() == "/api/tags") {
      if (owner_ == "library") {
        exchange.respond(200, R"({"models": [{"name": "m:latest"}]})");
      } else {
        exchange.respond(404, "no such page", "text/plain");
      }
    } else {
      handler_(request, exchange);
    }
  }

  LoopbackServer::Handler handler_;
  std::string owner_;
  std::vector<std::string> models_;
  LoopbackServer server_;
};

// A handler that streams these events, each a chunk of its own.
inline LoopbackServer::Handler streaming(std::vector<std::string> events) {
  return [events = std::move(events)](const HttpRequest&, Exchange& exchange) {
    exchange.begin_chunks();
    for (const std::string& event : events) exchange.event(event);
    exchange.end_chunks();
  };
}

}  // namespace edgelm::test

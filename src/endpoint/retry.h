#pragma once
// A server that is busy (429) or not ready (503: llama.cpp while it loads) is asked again, a
// bounded number of times, when it says or after waits that double. Used by endpoint.cpp.

#include <functional>
#include <string>

#include "base/result.h"
#include "endpoint/endpoint.h"
#include "http/client.h"

namespace edgelm::endpoint {

// The last response, of any status, or the error of `attempt`.
Result<http::Response> with_retries(const Options& options, const std::string& name,
                                    const std::function<Result<http::Response>()>& attempt);

}  // namespace edgelm::endpoint

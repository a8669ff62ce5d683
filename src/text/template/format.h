#pragma once
// Python's two ways of putting values into text, in the plain forms that templates use.

#include <string>
#include <string_view>

#include "text/template/callable.h"

namespace edgelm::text {

class Renderer;

// `format % value`: %s %r %d %i %f %x %% with flags '-' and '0', width and precision. A tuple gives
// several values, a dict named ones (%(name)s).
std::string percent_format(Renderer& renderer, std::string_view format, const Value& value);

// `format.format(...)`: {} {0} {name}, without attributes and format specifications.
std::string brace_format(Renderer& renderer, std::string_view format, const Args& args);

}  // namespace edgelm::text

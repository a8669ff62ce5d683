#pragma once
// A passport for people, on one or two screens.

#include <string>

#include "device/passport.h"

namespace edgelm::apps {

// Every figure with its origin, every absent one as n/a with the reason.
std::string passport_text(const device::Passport& passport);

}  // namespace edgelm::apps

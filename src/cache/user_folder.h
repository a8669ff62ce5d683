#pragma once
// Where this program keeps for a user what it can do without.

#include <string>

namespace edgelm::cache {

// $EDGELM_CACHE_DIR, else $XDG_CACHE_HOME/edgelm, else $HOME/.cache/edgelm; "" when none is set. It
// need not exist.
std::string user_folder();

}  // namespace edgelm::cache

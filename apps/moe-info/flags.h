// What the command line of moe-info asks for.
#pragma once

#include <optional>
#include <string>

#include "moefb/model.h"

namespace moefb::info {

struct Flags {
  std::string model;  ///< never empty: the default model where none was named
  bool json = false;
  LoadOptions load;  ///< kernels and largest batch decide the arena
};

/// @return nothing if the line asked for --help or --version, which has been printed
/// @throws std::runtime_error that says what is wrong with the line
std::optional<Flags> parse_flags(int argc, char** argv);

}  // namespace moefb::info

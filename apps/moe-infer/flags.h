// What the command line of moe-infer asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::infer {

struct Flags {
  std::string model;                  ///< never empty: the default model where none was named
  std::vector<std::string> pictures;  ///< picture mode
  std::string input;                  ///< tensor mode: a .safetensors file with tensor `input`
  std::string output;                 ///< tensor mode: where `logits` go
  bool trace = false;                 ///< tensor mode: also what lies between input and logits
  bool selftest = false;
  int top = 5;
  bool json = false;
  bool routing = false;
  bool metrics = false;       ///< router metrics over all pictures
  std::string routing_image;  ///< a .png file to draw the routing in; empty: none
  LoadOptions load;
  ExecutorOptions executor;
};

/// @return nothing if the line asked for --help or --version, which has been printed
/// @throws std::runtime_error that says what is wrong with the line
std::optional<Flags> parse_flags(int argc, char** argv);

}  // namespace moefb::infer

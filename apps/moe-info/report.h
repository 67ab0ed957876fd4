// A model file as a person and as a program reads it.
#pragma once

#include <cstddef>
#include <string>

#include "moefb/inspect.h"

namespace moefb::info {

struct Report {
  std::string path;
  Model model;
  size_t arena_bytes = 0;  ///< of an Executor for the model's largest batch
};

std::string report_text(const Report& report);

/// One JSON object, indented by two blanks, ended by a newline.
std::string report_json(const Report& report);

/// How the MoE layers decide: a table of numbers, then the rules. Indented by two blanks.
std::string routing_text(const Model& model);

}  // namespace moefb::info

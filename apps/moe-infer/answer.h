// One picture's answer, and its two forms on standard output.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/moe-infer/routing.h"

namespace moefb::infer {

struct ClassProbability {
  std::string name;
  float probability = 0;
};

struct Answer {
  std::string picture;                ///< its path, as given
  std::vector<ClassProbability> top;  ///< best first
  std::optional<Routing> routing;     ///< if asked for
  std::string routing_image;          ///< the file it was drawn in; empty if not asked for
};

/// The path, then a line per class, then the routing and where it is drawn; ends in a newline.
std::string answer_text(const Answer& answer);

/// {"image": ..., "top": [{"class": ..., "probability": ...}], "routing": ..., "routing_image": ...} on one line; ends
/// in a newline.
std::string answer_json(const Answer& answer);

}  // namespace moefb::infer

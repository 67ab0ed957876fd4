// What can be asked of the routing analysis.
#pragma once

#include <cstdint>

namespace moefb::trainer {

struct RoutingOptions {
  int64_t permutations = 1000;        ///< of the test of specialisation; 1 or more
  int64_t stability_pictures = 2000;  ///< at most; compared between the weights of two epochs
};

}  // namespace moefb::trainer

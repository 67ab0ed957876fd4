// Which pictures of a set an analysis looks at.
#pragma once

#include <cstdint>
#include <vector>

namespace moefb::trainer {

/// `wanted` different indices below `available`, drawn by the seed, in the order of drawing; of a smaller set all.
std::vector<int64_t> draw_pictures(int64_t available, int64_t wanted, uint64_t seed);

}  // namespace moefb::trainer

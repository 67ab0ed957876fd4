// `shapes`: pictures of twelve drawn objects, made from a seed, so that nothing has to be downloaded.
#pragma once

#include <cstdint>

#include "trainer/data/dataset.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

inline constexpr int kSmallestShapesSide = 16;
inline constexpr int kLargestShapesSide = 256;

/// Draws the three sets: 16,000, 1,000 and 2,000 pictures where the sizes in `config` are 0. A picture depends on
/// (seed, set, index, side) alone; picture i shows class i mod 12. Takes about 0.1 ms a picture and core at side 32.
/// @throws std::runtime_error  image outside 16..256, or a `path`, which this data set has no use for
Dataset load_shapes(const DataConfig& config);

/// One set of n square pictures.
/// @param stream  kTrainPicture, kValPicture or kTestPicture
/// @param threads  how many draw; the pictures are the same for any number. 0: as many as the machine has
PictureSet draw_shapes(int64_t n, int side, uint64_t seed, Stream stream, int threads = 0);

}  // namespace moefb::trainer

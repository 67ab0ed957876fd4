// Augmentation and batching, seeded per picture: what a picture becomes depends on (seed, epoch, its index) alone, so
// that a resumed run sees the same pictures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

struct AugmentConfig {
  int crop_padding = 0;  ///< random crop of the picture padded by so many pixels on each side; 0: off
  bool reflect = false;  ///< pad by reflection (the border pixel is not repeated) instead of black, as published
  bool flip = false;     ///< mirror left-right with probability 1/2
  /// With `flip`: drawn once for each picture, then the other way round in every second epoch, so that two epochs in a
  /// row show both views.
  bool flip_alternates = false;
};

/// Writes a normalised batch: crop, then mirror, on bytes; then (value / 255 - mean) / stddev, to the same bits as
/// moefb::normalize. Black padding is the byte 0, so it becomes -mean / stddev. A default AugmentConfig changes
/// nothing. A picture becomes the same wherever it stands in the batch.
/// @param indices  of the pictures of `set`, (n)
/// @param dataset  gives mean and stddev
/// @param planes   (n, 3, set.height, set.width) f32, overwritten
/// @throws std::runtime_error  `planes` has another size, or crop_padding is not from 0 to the shorter side - 1
void make_batch(const PictureSet& set, std::span<const int64_t> indices, const Dataset& dataset,
                const AugmentConfig& augment, uint64_t seed, int64_t epoch, std::span<float> planes);

/// Every order of 0 .. n-1 with equal chance; n < 2^32.
std::vector<int64_t> permutation(int64_t n, Random random);

/// The order in which an epoch visits n pictures: a permutation drawn from (seed, epoch).
std::vector<int64_t> epoch_order(int64_t n, uint64_t seed, int64_t epoch);

}  // namespace moefb::trainer

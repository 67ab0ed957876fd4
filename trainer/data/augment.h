// Augmentation and batching, seeded per picture: what a picture becomes depends on (seed, epoch, its index) alone, so
// that a resumed run sees the same pictures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

/// Strengths of colour_jitter.h. Factors are uniform in [max(0, 1 - x), 1 + x], the turn of the hue in [-x, x] of the
/// whole circle; 0: off.
struct ColourJitter {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  ///< at most 0.5

  bool on() const { return brightness > 0 || contrast > 0 || saturation > 0 || hue > 0; }
};

struct AugmentConfig {
  int crop_padding = 0;  ///< random crop of the picture padded by so many pixels on each side; 0: off
  bool reflect = false;  ///< pad by reflection (the border pixel is not repeated) instead of black, as published
  bool flip = false;     ///< mirror left-right with probability 1/2
  /// With `flip`: drawn once for each picture, then the other way round in every second epoch, so that two epochs in a
  /// row show both views.
  bool flip_alternates = false;

  bool resized_crop = false;  ///< a random part of the picture at its own size, resized: random_resized_crop.h
  double area_min = 0.08;     ///< of that part, in parts of the picture
  double area_max = 1;
  double aspect_min = 3.0 / 4;  ///< its width over its height
  double aspect_max = 4.0 / 3;

  double grayscale = 0;  ///< probability that a picture loses its colours
  ColourJitter jitter = {};
  int rand_augment_operations = 0;  ///< so many a picture; 0: off. See rand_augment.h
  int rand_augment_magnitude = 9;   ///< their strength, 0 to 30

  double erasing = 0;            ///< probability that a rectangle becomes noise: random_erasing.h
  double erase_area_min = 0.02;  ///< of the rectangle, in parts of the picture
  double erase_area_max = 0.33;
  double erase_aspect_min = 0.3;  ///< its height over its width
  double erase_aspect_max = 3.3;

  /// True if a picture must be had as large as its file is: `folder` should be streamed then.
  bool needs_own_size() const { return resized_crop; }
};

/// @throws std::runtime_error that names the first option out of its range, what was found and what was expected
/// @param height, width  of the model's pictures
void check_augment(const AugmentConfig& augment, int height, int width);

/// Writes a normalised batch. On bytes: resized crop (of the picture at its own size: the set's, if that is in memory),
/// crop with padding, mirror, grayscale, colour jitter, RandAugment. Then (value / 255 - mean) / stddev, to the same
/// bits as moefb::normalize; then erasing. Black padding is the byte 0, so it becomes -mean / stddev. A default
/// AugmentConfig changes nothing. A picture becomes the same wherever it stands in the batch. May run on several
/// threads at once.
/// @param indices  of the pictures of `set`, (n)
/// @param dataset  gives mean, stddev and, for a streamed set, the picture rule
/// @param planes   (n, 3, set.height, set.width) f32, overwritten
/// @throws std::runtime_error  `planes` has another size, check_augment() refuses, or a streamed picture cannot be
///                             decoded (its file is named)
void make_batch(const PictureSet& set, std::span<const int64_t> indices, const Dataset& dataset,
                const AugmentConfig& augment, uint64_t seed, int64_t epoch, std::span<float> planes);

/// Every order of 0 .. n-1 with equal chance; n < 2^32.
std::vector<int64_t> permutation(int64_t n, Random random);

/// The order in which an epoch visits n pictures: a permutation drawn from (seed, epoch).
std::vector<int64_t> epoch_order(int64_t n, uint64_t seed, int64_t epoch);

}  // namespace moefb::trainer

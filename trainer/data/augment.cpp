#include "trainer/data/augment.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <string>

#include "trainer/data/adjust.h"
#include "trainer/data/colour_jitter.h"
#include "trainer/data/prepared_picture.h"
#include "trainer/data/rand_augment.h"
#include "trainer/data/random_erasing.h"
#include "trainer/data/random_resized_crop.h"

namespace moefb::trainer {
namespace {

/// Where the crop starts in the padded picture, and whether it is mirrored then.
struct Move {
  int top = 0;
  int left = 0;
  bool flip = false;
};

bool alternating_flip(uint64_t seed, int64_t epoch, int64_t index) {
  return Random(seed, Stream::kFlip, uint64_t(index)).coin() != (epoch % 2 == 1);
}

/// All three are drawn whatever is switched on, so that one option does not change what another one draws.
Move draw_move(const AugmentConfig& augment, uint64_t seed, int64_t epoch, int64_t index) {
  Random random(seed, Stream::kAugment, uint64_t(epoch), uint64_t(index));
  const uint32_t offsets = 2 * uint32_t(augment.crop_padding) + 1;
  Move move;
  move.top = int(random.below(offsets));
  move.left = int(random.below(offsets));
  const bool drawn = random.coin();
  move.flip = augment.flip && (augment.flip_alternates ? alternating_flip(seed, epoch, index) : drawn);
  return move;
}

/// Index into the picture of coordinate i, which may lie in the padding; -1 means black.
int source_index(int i, int extent, bool reflect) {
  if (i >= 0 && i < extent) return i;
  if (!reflect) return -1;
  return i < 0 ? -i : 2 * (extent - 1) - i;
}

/// Every value a byte can take, normalised, for one channel: (value / 255 - mean) / stddev, as the runtime computes it.
using Levels = std::array<float, 256>;

Levels normalised_levels(float mean, float stddev) {
  Levels levels;
  for (size_t value = 0; value < levels.size(); ++value) levels[value] = (float(value) / 255.0f - mean) / stddev;
  return levels;
}

struct Normaliser {
  explicit Normaliser(const Dataset& dataset) {
    for (size_t c = 0; c < 3; ++c) levels[c] = normalised_levels(dataset.mean[c], dataset.stddev[c]);
  }
  std::array<Levels, 3> levels;
};

/// For each coordinate of the crop the index into the picture, or -1.
std::vector<int> source_indices(int start, bool flip, int extent, const AugmentConfig& augment) {
  std::vector<int> indices;
  for (int i = 0; i < extent; ++i) {
    const int moved = flip ? extent - 1 - i : i;
    indices.push_back(source_index(start - augment.crop_padding + moved, extent, augment.reflect));
  }
  return indices;
}

/// A picture on its way into the batch. Which numbers it draws depends on (seed, epoch, index) alone, and each step has
/// a sequence of its own, so that one option does not change what another one draws.
class Preparation {
 public:
  Preparation(const PictureSet& set, const Dataset& dataset, const AugmentConfig& augment, uint64_t seed, int64_t epoch,
              int64_t index)
      : set_(set), dataset_(dataset), augment_(augment), seed_(seed), epoch_(epoch), index_(index) {}

  /// (height, width, 3), as it is before it is normalised.
  std::vector<uint8_t> pixels() const {
    std::vector<uint8_t> out = moved(augment_.resized_crop ? random_part() : prepared_picture(dataset_, set_, index_));
    Random grayscale = random(Stream::kGrayscale);
    if (grayscale.between(0, 1) < augment_.grayscale) to_grayscale(out);
    Random jitter = random(Stream::kColourJitter);
    if (augment_.jitter.on()) apply_jitter(draw_jitter(augment_.jitter, jitter), out);
    Random operations = random(Stream::kRandAugment);
    for (int i = 0; i < augment_.rand_augment_operations; ++i) {
      const int magnitude = augment_.rand_augment_magnitude;
      apply_operation(draw_operation(magnitude, set_.width, set_.height, operations), set_.width, set_.height, out);
    }
    return out;
  }

  void erase_part(std::span<float> planes) const {
    Random erasing = random(Stream::kErasing);
    const auto box = draw_erasing(set_.height, set_.width, augment_, erasing);
    if (box) erase(*box, set_.height, set_.width, erasing, planes);
  }

 private:
  Random random(Stream stream) const { return Random(seed_, stream, uint64_t(epoch_), uint64_t(index_)); }

  std::vector<uint8_t> random_part() const {
    Random crop = random(Stream::kResizedCrop);
    const Image image = own_picture(set_, index_);
    return resized_crop(image, draw_crop(image.height, image.width, augment_, crop), set_.height, set_.width);
  }

  std::vector<uint8_t> moved(std::vector<uint8_t> pixels) const {
    const Move move = draw_move(augment_, seed_, epoch_, index_);
    if (augment_.crop_padding == 0 && !move.flip) return pixels;
    const std::vector<int> columns = source_indices(move.left, move.flip, set_.width, augment_);
    std::vector<uint8_t> out(pixels.size(), 0);
    uint8_t* dst = out.data();
    for (const int row : source_indices(move.top, false, set_.height, augment_)) {
      for (const int column : columns) {
        const auto from = (size_t(row) * size_t(set_.width) + size_t(column)) * 3;
        if (row >= 0 && column >= 0) std::copy_n(&pixels[from], 3, dst);
        dst += 3;
      }
    }
    return out;
  }

  const PictureSet& set_;
  const Dataset& dataset_;
  const AugmentConfig& augment_;
  uint64_t seed_;
  int64_t epoch_;
  int64_t index_;
};

void write_planes(std::span<const uint8_t> pixels, const Normaliser& normaliser, float* dst) {
  for (size_t channel = 0; channel < 3; ++channel) {
    const Levels& levels = normaliser.levels[channel];
    for (size_t i = channel; i < pixels.size(); i += 3) *dst++ = levels[pixels[i]];
  }
}

}  // namespace

void make_batch(const PictureSet& set, std::span<const int64_t> indices, const Dataset& dataset,
                const AugmentConfig& augment, uint64_t seed, int64_t epoch, std::span<float> planes) {
  check_augment(augment, set.height, set.width);
  const size_t expected = indices.size() * set.picture_bytes();
  if (planes.size() != expected) {
    throw std::runtime_error("make_batch: expected room for " + std::to_string(expected) + " values, found " +
                             std::to_string(planes.size()));
  }
  const Normaliser normaliser(dataset);
  for (size_t i = 0; i < indices.size(); ++i) {
    const Preparation preparation(set, dataset, augment, seed, epoch, indices[i]);
    const std::span<float> dst = planes.subspan(i * set.picture_bytes(), set.picture_bytes());
    write_planes(preparation.pixels(), normaliser, dst.data());
    preparation.erase_part(dst);
  }
}

std::vector<int64_t> permutation(int64_t n, Random random) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(uint32_t(i))]);
  return order;
}

std::vector<int64_t> epoch_order(int64_t n, uint64_t seed, int64_t epoch) {
  return permutation(n, Random(seed, Stream::kOrder, uint64_t(epoch)));
}

}  // namespace moefb::trainer

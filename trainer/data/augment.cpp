#include "trainer/data/augment.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <string>

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
void source_indices(int start, bool flip, int extent, const AugmentConfig& augment, std::span<int> indices) {
  for (int i = 0; i < extent; ++i) {
    const int moved = flip ? extent - 1 - i : i;
    indices[size_t(i)] = source_index(start - augment.crop_padding + moved, extent, augment.reflect);
  }
}

void write_row(const uint8_t* row, std::span<const int> columns, const Levels& levels, int channel, float* dst) {
  for (const int column : columns) *dst++ = levels[column < 0 ? 0 : row[3 * column + channel]];
}

void check(const PictureSet& set, std::span<const int64_t> indices, const AugmentConfig& augment,
           std::span<float> planes) {
  const size_t expected = indices.size() * set.picture_bytes();
  if (planes.size() != expected) {
    throw std::runtime_error("make_batch: expected room for " + std::to_string(expected) + " values, found " +
                             std::to_string(planes.size()));
  }
  const int side = std::min(set.height, set.width);
  if (augment.crop_padding < 0 || augment.crop_padding >= side) {
    throw std::runtime_error("augmentation: expected crop_padding from 0 to " + std::to_string(side - 1) + ", found " +
                             std::to_string(augment.crop_padding));
  }
}

}  // namespace

void make_batch(const PictureSet& set, std::span<const int64_t> indices, const Dataset& dataset,
                const AugmentConfig& augment, uint64_t seed, int64_t epoch, std::span<float> planes) {
  check(set, indices, augment, planes);
  const Normaliser normaliser(dataset);
  const std::vector<uint8_t> black(size_t(set.width) * 3, 0);
  std::vector<int> rows(size_t(set.height));
  std::vector<int> columns(size_t(set.width));
  float* dst = planes.data();
  for (const int64_t index : indices) {
    const Move move = draw_move(augment, seed, epoch, index);
    source_indices(move.top, false, set.height, augment, rows);
    source_indices(move.left, move.flip, set.width, augment, columns);
    const uint8_t* picture = set.picture(index).data();
    for (int channel = 0; channel < 3; ++channel) {
      for (const int row : rows) {
        const uint8_t* src = row < 0 ? black.data() : picture + size_t(row) * size_t(set.width) * 3;
        write_row(src, columns, normaliser.levels[size_t(channel)], channel, dst);
        dst += set.width;
      }
    }
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

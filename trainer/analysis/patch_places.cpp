#include "trainer/analysis/patch_places.h"

#include <algorithm>

namespace moefb::trainer {
namespace {

int64_t halved(int64_t side) {
  return (side + 1) / 2;
}

}  // namespace

Region PatchPlaces::region(int64_t place, int64_t side) const {
  // A column of nothing but padding has no pixels of its own: it shows the picture's last ones.
  const int64_t left = std::min(place % columns * pixels, side - 1);
  const int64_t top = std::min(place / columns * pixels, side - 1);
  return {left, top, std::min(pixels, side - left), std::min(pixels, side - top)};
}

std::vector<PatchPlaces> patch_places(const PatchNetConfig& config) {
  std::vector<PatchPlaces> places;
  int64_t stride = 2;  // of the stem
  int64_t map = halved(config.image_height);
  int64_t patch = config.patch_size;
  for (int64_t layer = 0; layer < config.layer_number; ++layer) {
    if (PatchNetConfig::is_moe(layer)) {
      const int64_t rows = (map + patch - 1) / patch;
      places.push_back({layer, rows, rows, patch * stride});
      if (!config.crop_padding) map = rows * patch;
    } else {
      map = halved(map);
      stride *= 2;
      patch = std::max<int64_t>(2, patch / 2);
    }
  }
  return places;
}

}  // namespace moefb::trainer

#include "trainer/data/random_resized_crop.h"

#include <algorithm>
#include <stdexcept>

namespace moefb::trainer {
namespace {

constexpr int kTries = 10;

Box central_crop(int height, int width, Range aspect) {
  Box box{0, 0, height, width};
  const double found = double(width) / height;
  if (found < aspect.min) box.height = int(std::nearbyint(width / aspect.min));
  if (found > aspect.max) box.width = int(std::nearbyint(height * aspect.max));
  // An extreme aspect of a narrow picture would round to nothing.
  box.height = std::clamp(box.height, 1, height);
  box.width = std::clamp(box.width, 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

Image cut(const Image& image, const Box& box) {
  Image part;
  part.width = box.width;
  part.height = box.height;
  const size_t row = size_t(box.width) * 3;
  part.pixels = std::make_unique<uint8_t[]>(row * size_t(box.height));
  for (int y = 0; y < box.height; ++y) {
    const size_t from = (size_t(box.top + y) * size_t(image.width) + size_t(box.left)) * 3;
    std::copy_n(image.pixels.get() + from, row, part.pixels.get() + size_t(y) * row);
  }
  return part;
}

}  // namespace

Box draw_crop(int height, int width, const AugmentConfig& augment, Random& random) {
  const Range area{augment.area_min, augment.area_max};
  const Range aspect{augment.aspect_min, augment.aspect_max};
  for (int i = 0; i < kTries; ++i) {
    const Sides sides = draw_sides(height, width, area, aspect, random);
    const bool fits =
        sides.numerator > 0 && sides.numerator <= width && sides.denominator > 0 && sides.denominator <= height;
    if (fits) return place_box(height, width, sides.denominator, sides.numerator, random);
  }
  return central_crop(height, width, aspect);
}

std::vector<uint8_t> resized_crop(const Image& image, const Box& box, int height, int width) {
  Preprocessing rule;
  rule.height = height;
  rule.width = width;
  rule.resize = ResizeRule::kStretch;
  rule.filter = Filter::kBicubic;
  std::vector<uint8_t> pixels(size_t(height) * size_t(width) * 3);
  const Status status = resize_and_crop(cut(image, box), rule, pixels);
  char text[256];
  if (!status.ok()) throw std::runtime_error(std::string("resized crop: ") + status.describe(text, sizeof(text)));
  return pixels;
}

}  // namespace moefb::trainer

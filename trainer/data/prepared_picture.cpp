#include "trainer/data/prepared_picture.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace moefb::trainer {
namespace {

std::string path_of(const PictureSet& set, int64_t index) {
  return (std::filesystem::path(set.root) / set.files[size_t(index)]).string();
}

[[noreturn]] void fail(const std::string& path, const Status& status) {
  char text[256];
  throw std::runtime_error(path + ": " + status.describe(text, sizeof(text)));
}

Image copy_of(const PictureSet& set, int64_t index) {
  Image image;
  image.width = set.width;
  image.height = set.height;
  image.pixels = std::make_unique<uint8_t[]>(set.picture_bytes());
  std::ranges::copy(set.picture(index), image.pixels.get());
  return image;
}

}  // namespace

Preprocessing resize_rule(const PictureRule& rule, int height, int width) {
  Preprocessing out;
  out.height = height;
  out.width = width;
  out.resize = rule.resize;
  out.resize_to = rule.resize_to == 0 ? std::min(height, width) : rule.resize_to;
  out.filter = rule.filter;
  return out;
}

Image own_picture(const PictureSet& set, int64_t index) {
  if (!set.streamed()) return copy_of(set, index);
  const std::string path = path_of(set, index);
  Result<Image> image = load_image(path.c_str());
  if (!image.ok()) fail(path, image.status());
  return std::move(*image);
}

std::vector<uint8_t> prepared_picture(const Dataset& dataset, const PictureSet& set, int64_t index) {
  if (!set.streamed()) {
    const auto pixels = set.picture(index);
    return {pixels.begin(), pixels.end()};
  }
  std::vector<uint8_t> pixels(set.picture_bytes());
  const Image image = own_picture(set, index);
  const Status status = resize_and_crop(image, resize_rule(dataset.picture, set.height, set.width), pixels);
  if (!status.ok()) fail(path_of(set, index), status);
  return pixels;
}

}  // namespace moefb::trainer

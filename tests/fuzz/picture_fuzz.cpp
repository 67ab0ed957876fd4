#include <cstdlib>
#include <numeric>
#include <vector>

#include "fuzz/targets.h"
#include "moefb/image.h"

namespace moefb::fuzz {
namespace {

void preprocess_with(const Image& image, ResizeRule resize, Filter filter) {
  Preprocessing rule;
  rule.height = 7;
  rule.width = 5;
  rule.resize = resize;
  rule.resize_to = 9;
  rule.filter = filter;
  std::vector<float> input(3 * 7 * 5);
  if (!preprocess(image, rule, input).ok()) std::abort();  // a picture that was decoded can be used
}

}  // namespace

void fuzz_picture(Bytes file) {
  // A copy of its own size: a sanitizer sees every read behind it.
  const std::vector<std::byte> copy(file.begin(), file.end());
  const Result<Image> image = decode_image(copy);
  if (!image.ok()) return;
  if (int64_t(image->width) * image->height > kMaxPixels) std::abort();
  const auto bytes = image->bytes();
  if (std::accumulate(bytes.begin(), bytes.end(), size_t{0}) > 255 * bytes.size()) std::abort();
  preprocess_with(*image, ResizeRule::kShorterSide, Filter::kBicubic);
  preprocess_with(*image, ResizeRule::kStretch, Filter::kBilinear);
}

}  // namespace moefb::fuzz

#include "converter/preprocessing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace moefb::convert {
namespace {

struct Defaults {
  std::array<float, 3> mean;
  std::array<float, 3> stddev;
  fb::Filter filter;
  double resize_over_side;
};

// spec/cifar-heads.md, section 10, and spec/patch-moe.md, section 9
constexpr Defaults kCifar = {{0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f}, fb::Filter::bilinear, 1.0};
constexpr Defaults kImageNet = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}, fb::Filter::bicubic, 256.0 / 224.0};

template <typename Range>
std::vector<float> to_vector(const Range& range) {
  return {range.begin(), range.end()};
}

}  // namespace

void describe_classes(const Config& config, int64_t classes, fb::MetaT& meta) {
  const auto names = static_cast<int64_t>(config.class_names.size());
  if (names != 0 && names != classes) {
    throw std::runtime_error(config.path + ": key \"class_names\" has " + std::to_string(names) +
                             " names, but the weights have " + std::to_string(classes) + " classes");
  }
  meta.class_names = config.class_names;
}

std::unique_ptr<fb::PreprocT> make_preprocessing(const Config& config) {
  const Defaults& defaults = config.kind == Kind::kCifarE2e ? kCifar : kImageNet;
  auto rule = std::make_unique<fb::PreprocT>();
  rule->height = static_cast<uint32_t>(config.image->height);
  rule->width = static_cast<uint32_t>(config.image->width);
  rule->resize = config.resize.value_or(fb::ResizeRule::shorter_side);
  rule->filter = config.filter.value_or(defaults.filter);
  rule->mean = to_vector(config.mean.value_or(defaults.mean));
  rule->stddev = to_vector(config.stddev.value_or(defaults.stddev));
  // The longer side, so that the crop of an input that is not square stays inside the picture.
  const double side = static_cast<double>(std::max(config.image->height, config.image->width));
  rule->resize_to = static_cast<uint32_t>(config.resize_to.value_or(std::llround(side * defaults.resize_over_side)));
  return rule;
}

}  // namespace moefb::convert

#include "trainer/train/mixing.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace moefb::trainer {
namespace {

using OptionalGenerator = std::optional<at::Generator>;

double draw_unit(const OptionalGenerator& generator) {
  return at::rand({}, generator, at::TensorOptions(at::kDouble)).item<double>();
}

int64_t draw_below(int64_t n, const OptionalGenerator& generator) {
  return at::randint(n, {}, generator, at::TensorOptions(at::kLong)).item<int64_t>();
}

/// Beta(alpha, alpha): the first of the two shares of a symmetric Dirichlet distribution.
double draw_beta(double alpha, const OptionalGenerator& generator) {
  return at::_sample_dirichlet(at::full({2}, alpha, at::kDouble), generator)[0].item<double>();
}

/// One side of the box: [begin, begin + length) within the picture.
struct Interval {
  int64_t begin = 0;
  int64_t length = 0;
};

Interval box_side(int64_t center, int64_t length, int64_t extent) {
  const int64_t begin = std::max<int64_t>(center - length / 2, 0);
  const int64_t end = std::min(center + length / 2, extent);
  return {begin, end - begin};
}

MixedBatch cutmix(const at::Tensor& images, const at::Tensor& partners, const MixDraw& draw) {
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  const double side = std::sqrt(1 - draw.lam);
  const Interval columns = box_side(draw.center_x, int64_t(double(width) * side), width);
  const Interval rows = box_side(draw.center_y, int64_t(double(height) * side), height);
  const auto box = [&](const at::Tensor& x) {
    return x.narrow(2, rows.begin, rows.length).narrow(3, columns.begin, columns.length);
  };
  const at::Tensor mixed = images.clone();
  box(mixed).copy_(box(partners));
  return {mixed, draw.perm, 1 - double(rows.length * columns.length) / double(height * width)};
}

}  // namespace

MixDraw draw_mix(const MixConfig& config, at::IntArrayRef shape, const OptionalGenerator& generator) {
  MixDraw draw;
  draw.cutmix = draw_unit(generator) < config.cutmix_probability;
  draw.lam = draw_beta(draw.cutmix ? config.cutmix_alpha : config.mixup_alpha, generator);
  draw.perm = at::randperm(shape[0], generator, at::TensorOptions(at::kLong));
  draw.center_x = draw_below(shape[3], generator);
  draw.center_y = draw_below(shape[2], generator);
  return draw;
}

MixedBatch mix(const at::Tensor& images, const MixDraw& draw) {
  return mix(images, images.index_select(0, draw.perm.to(images.device())), draw);
}

MixedBatch mix(const at::Tensor& images, const at::Tensor& partners, const MixDraw& draw) {
  if (draw.cutmix) return cutmix(images, partners, draw);
  return {draw.lam * images + (1 - draw.lam) * partners, draw.perm, draw.lam};
}

at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const MixedBatch& batch,
                               double label_smoothing) {
  return mixed_cross_entropy(logits, labels, labels.index_select(0, batch.perm), batch.lam, label_smoothing);
}

at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& partners,
                               double lam, double label_smoothing) {
  const auto loss = [&](const at::Tensor& target) {
    return at::cross_entropy_loss(logits, target, {}, at::Reduction::Mean, -100, label_smoothing);
  };
  return lam * loss(labels) + (1 - lam) * loss(partners);
}

}  // namespace moefb::trainer

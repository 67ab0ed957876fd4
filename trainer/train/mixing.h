// MixUp and CutMix: batches in which every picture carries a part of another one (spec/patch-moe.md, section 8).
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <optional>

namespace moefb::trainer {

/// Defaults are the published ones of the patch network; the ResNet-18 baseline has 0.5 and 0.3.
struct MixConfig {
  double cutmix_probability = 0.3;  ///< else MixUp
  double mixup_alpha = 0.2;         ///< lam ~ Beta(alpha, alpha)
  double cutmix_alpha = 1.0;
};

/// Everything random about one batch.
struct MixDraw {
  bool cutmix = false;
  double lam = 1;        ///< share of the picture itself
  at::Tensor perm;       ///< (B) I64: which other picture each one meets
  int64_t center_x = 0;  ///< CutMix: middle of the box
  int64_t center_y = 0;
};

struct MixedBatch {
  at::Tensor images;  ///< (B, C, H, W)
  at::Tensor perm;    ///< (B)
  double lam = 1;     ///< with CutMix: what the box, cut off at the borders, has left
};

/// @param shape      of the whole batch: B, C, H, W
/// @param generator  none: the default one
MixDraw draw_mix(const MixConfig& config, at::IntArrayRef shape,
                 const std::optional<at::Generator>& generator = std::nullopt);

MixedBatch mix(const at::Tensor& images, const MixDraw& draw);
/// The same where the other pictures, already in the order of draw.perm, do not come from `images`.
MixedBatch mix(const at::Tensor& images, const at::Tensor& partners, const MixDraw& draw);

/// lam * CE(logits, labels) + (1 - lam) * CE(logits, labels[perm]).
/// @param logits  (B, classes)
/// @param labels  (B) I64, in the order before mixing
at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const MixedBatch& batch,
                               double label_smoothing);
/// The same where the other pictures' labels do not come from `labels`. @param partners  (B)
at::Tensor mixed_cross_entropy(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& partners,
                               double lam, double label_smoothing);

}  // namespace moefb::trainer

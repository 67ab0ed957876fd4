// A few pictures of a set, drawn by a seed and held as tensors: what an analysis measures on.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/data/dataset.h"

namespace moefb::trainer {

struct PictureBatch {
  at::Tensor images;  ///< (n, 3, H, W) normalised
  at::Tensor labels;  ///< (n) I64
};

using PictureSample = std::vector<PictureBatch>;

/// The first `pictures` of LibTorch's permutation of the set under `seed`, as published; all of a smaller set.
/// @param options  dtype and device of the images
PictureSample draw_sample(const Dataset& dataset, const PictureSet& set, int64_t pictures, uint64_t seed,
                          int64_t batch_size, const at::TensorOptions& options);

}  // namespace moefb::trainer

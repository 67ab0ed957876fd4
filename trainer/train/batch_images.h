// A loaded batch as the tensor that a network takes.
#pragma once

#include <ATen/ATen.h>

#include "trainer/data/loader.h"
#include "trainer/models/device.h"

namespace moefb::trainer {

/// A copy on `device`, (n, 3, H, W): a loader's pictures last only until its next batch.
inline at::Tensor batch_images(const Batch& batch, const PictureSet& set, bool channels_last,
                               const at::Device& device = at::kCPU) {
  auto* planes = const_cast<float*>(batch.planes.data());  // only read: from_blob knows no constant memory
  const at::Tensor view = at::from_blob(planes, {int64_t(batch.indices.size()), 3, set.height, set.width}, at::kFloat);
  const auto format = channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  return upload(empty_to_upload(view.sizes(), view.options().device(device), format).copy_(view), device);
}

}  // namespace moefb::trainer

// What the optimisation loop sees of a network, whatever its family.
#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "trainer/models/patch_router.h"

namespace moefb::trainer {

/// How one layer routed; tensors that its router does not have are undefined.
struct LayerRouting {
  int64_t layer = 0;  ///< its published index
  Routing routing;
};

struct NetworkOutput {
  at::Tensor logits;    ///< (B, classes)
  at::Tensor aux_loss;  ///< () the routers' losses, weighted, to be added to the class loss; undefined: none
  std::vector<LayerRouting> routing;
};

class Network {
 public:
  virtual ~Network() = default;

  /// @param images  (B, 3, H, W) normalised
  virtual NetworkOutput run(const at::Tensor& images) = 0;

  /// Itself, to be trained, saved and restored.
  virtual torch::nn::Module& module() = 0;
};

}  // namespace moefb::trainer

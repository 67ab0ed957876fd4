// What the optimisation loop sees of a network, whatever its family.
#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "trainer/models/autocast.h"
#include "trainer/models/head.h"
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
  HeadOutput head;      ///< of a classifier with a head of its own; else empty
  std::vector<LayerRouting> routing;  ///< of a patch network; else empty
};

/// Weights of the routers' losses in the total.
struct RouterLossWeights {
  double balance = 0;
  double z = 0;
  double diversity = 0;
};

class Network {
 public:
  virtual ~Network() = default;

  /// @param images     (B, 3, H, W) normalised
  /// @param precision  what a family does not know is computed in f32
  virtual NetworkOutput run(const at::Tensor& images, Precision precision) = 0;
  NetworkOutput run(const at::Tensor& images) { return run(images, Precision::kF32); }

  /// In f32, along the routes and with the mixture weights of an earlier answer for the same images: the routers have
  /// no part in it. A network without routers runs as ever.
  /// @pre evaluation mode
  virtual NetworkOutput rerun(const at::Tensor& images, const NetworkOutput& routes) = 0;

  /// What holds until the next call: how the routers of a patch network route, and what that costs.
  virtual void set_phase(const RoutingPhase&, const RouterLossWeights&) {}

  /// Itself, to be trained, saved and restored.
  virtual torch::nn::Module& module() = 0;
};

}  // namespace moefb::trainer

// A pass over a picture set in evaluation mode.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "trainer/data/augment.h"
#include "trainer/data/dataset.h"
#include "trainer/models/cifar_net.h"
#include "trainer/train/routing_stats.h"

namespace moefb::trainer {

struct Evaluation {
  double loss = 0;      ///< mean over the batches of their mean cross-entropy, as published
  double accuracy = 0;  ///< 0..1, over all pictures
  at::Tensor logits;    ///< (n, C)
  at::Tensor labels;    ///< (n) I64
  at::Tensor probs;     ///< (n, E); undefined for the dense head
  at::Tensor topk_idx;  ///< (n, k); undefined for dense and soft
};

struct BatchLayout {
  int64_t batch_size = 128;
  bool channels_last = false;
};

/// Pictures `indices` of `set`, normalised, (n, 3, H, W).
at::Tensor load_images(const Dataset& dataset, const PictureSet& set, std::span<const int64_t> indices,
                       const AugmentConfig& augment, uint64_t seed, int64_t epoch, bool channels_last);

/// Always in f32: that is what the runtime will compute. Leaves the model in evaluation mode.
/// @param stop  asked after every batch; null: never
/// @return nothing if it was stopped
std::optional<Evaluation> evaluate(CifarNet& model, const Dataset& dataset, const PictureSet& set,
                                   const BatchLayout& layout, const std::function<bool()>& stop = nullptr);

/// Routing statistics of a whole evaluation. @param experts  0: none
RoutingStats routing_stats(const Evaluation& evaluation);

}  // namespace moefb::trainer

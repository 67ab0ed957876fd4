// A pass over a picture set in evaluation mode.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "trainer/data/dataset.h"
#include "trainer/distributed/group.h"
#include "trainer/models/network.h"
#include "trainer/train/routing_meter.h"

namespace moefb::trainer {

/// Its tensors are on the CPU.
struct Evaluation {
  double loss = 0;      ///< mean over the batches of their mean cross-entropy, as published
  double accuracy = 0;  ///< 0..1, over all pictures
  at::Tensor logits;    ///< (n, C)
  at::Tensor labels;    ///< (n) I64
  at::Tensor probs;     ///< (n, E) of a head with experts; else undefined
  at::Tensor topk_idx;  ///< (n, k) of a sparse head; else undefined
};

/// How the pictures of a pass come.
struct BatchLayout {
  int64_t batch_size = 128;
  bool channels_last = false;
  int workers = 0;  ///< threads that prepare them ahead
};

/// Always in f32: that is what the runtime will compute. On the network's device. Leaves the network in evaluation
/// mode.
/// @param meter  counts how the pictures were routed; may be null
/// @param stop   asked after every batch; null: never
/// @param group  processes that take whole batches in turn; each has the whole result
/// @return nothing if it was stopped
std::optional<Evaluation> evaluate(Network& network, const Dataset& dataset, const PictureSet& set,
                                   const BatchLayout& layout, RoutingMeter* meter = nullptr,
                                   const std::function<bool()>& stop = nullptr, const Group& group = alone());

}  // namespace moefb::trainer

// The mean cross-entropy of a sample of pictures as a function of a network's weights.
#pragma once

#include <vector>

#include "trainer/analysis/hessian_options.h"
#include "trainer/analysis/picture_sample.h"
#include "trainer/models/network.h"

namespace moefb::trainer {

/// Evaluation mode: no dropout, no noise, running statistics; without the routers' losses.
class SampleLoss {
 public:
  struct Point {
    double loss = 0;
    double accuracy = 0;  ///< 0..1
  };

  /// @param network  must outlive this; is put into evaluation mode
  /// @param routing  frozen: routed once for all, by the weights of this moment
  SampleLoss(Network& network, PictureSample sample, RouteMode routing);

  int64_t pictures() const { return pictures_; }
  int64_t batches() const { return int64_t(sample_.size()); }
  /// The batch's share of the pictures.
  double weight(int64_t batch) const;

  /// () mean over one batch, with its graph.
  at::Tensor batch_loss(int64_t batch) const;
  /// Over all pictures, with the weights of this moment.
  Point evaluate() const;

 private:
  NetworkOutput answer(int64_t batch) const;

  Network& network_;
  PictureSample sample_;
  int64_t pictures_ = 0;
  std::vector<NetworkOutput> routes_;  ///< by batch, if frozen
};

}  // namespace moefb::trainer

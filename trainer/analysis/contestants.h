// Who is timed: the run's network under LibTorch and under our runtime, with every dispatch that it has, on one thread
// and on all cores; and the head of a classifier by itself.
#pragma once

#include <vector>

#include "trainer/analysis/contest.h"
#include "trainer/analysis/converted_model.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/network_place.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {

/// One thread and all cores: {1} where there is one core.
std::vector<int> thread_counts();

/// The whole network. @param batch  (n, 3, H, W) one that will be timed: memory is measured with it
std::vector<Contestant> network_contestants(const TrainedRun& run, const ConvertedModel& converted,
                                            const at::Tensor& batch);

/// A classifier's head, on features. @param batch  (n, D)
std::vector<Contestant> head_contestants(const std::shared_ptr<CifarNet>& network, const ConvertedModel& converted,
                                         const at::Tensor& batch);

/// The networks of a run on another device, while this lives; LibTorch alone answers there.
class DeviceNetworks {
 public:
  DeviceNetworks(const TrainedRun& run, const at::Device& device);

  /// As network_contestants() and head_contestants() do it.
  std::vector<Contestant> network_contestants(const at::Tensor& batch) const;
  std::vector<Contestant> head_contestants(const std::shared_ptr<CifarNet>& network, const at::Tensor& batch) const;

 private:
  const TrainedRun& run_;
  at::Device device_;
  std::shared_ptr<Network> onehot_;  ///< may be null
  std::vector<std::unique_ptr<NetworkPlace>> places_;
};

}  // namespace moefb::trainer

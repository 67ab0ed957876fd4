// How a head used its experts, summed over the pictures of a pass (spec/cifar-heads.md, section 12.1).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace moefb::trainer {

class RoutingStats {
 public:
  /// @param experts  0: a head without experts, nothing is counted
  explicit RoutingStats(int64_t experts);

  /// @param probs  (B, E)
  void add(const at::Tensor& probs);

  /// Mean over the pictures: mixture weight of each expert; entropy of the weights in nats; share with a weight > 0.
  std::vector<double> utilisation() const;
  double entropy() const;
  std::vector<double> load() const;

  /// (2 + 2 E) F64, on the CPU: pictures, entropy, weights, uses. To be saved and restored in the middle of a pass.
  at::Tensor sums() const { return sums_.to(at::kCPU); }
  void set_sums(const at::Tensor& sums) { sums_ = sums.clone(); }

 private:
  std::vector<double> means(int64_t from) const;

  int64_t experts_;
  at::Tensor sums_;  ///< where the probabilities are: nobody waits for them
};

/// Mean mixture weights of each class's pictures. @param probs  (n, E) @param labels  (n) I64 @return (classes, E) F64
at::Tensor class_expert_mean(const at::Tensor& probs, const at::Tensor& labels, int64_t classes);

}  // namespace moefb::trainer

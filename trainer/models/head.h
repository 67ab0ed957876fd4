// The classifier heads: dense, soft and sparse mixtures of experts (spec/cifar-heads.md, sections 3 to 6). Children are
// named so that state keys equal the published ones.
#pragma once

#include <torch/nn/module.h>

#include <memory>

#include "trainer/distributed/group.h"
#include "trainer/models/draws.h"
#include "trainer/models/model_config.h"

namespace moefb::trainer {

/// What a head computed; tensors that its kind does not have are undefined.
struct HeadOutput {
  at::Tensor logits;       ///< (B, C)
  at::Tensor hidden_pre;   ///< (B, width) dense: before the ReLU
  at::Tensor gate_logits;  ///< (B, E) the gate's raw output
  at::Tensor gate_scores;  ///< (B, E) sparse: what top-k sees
  at::Tensor probs;        ///< (B, E) softmax over the scores, over the masked ones in the sparse head
  at::Tensor weights;      ///< (B, E) what the experts' answers were multiplied by: in most heads `probs`
  at::Tensor topk_idx;     ///< (B, k) I64 sparse: selected experts, best first
  at::Tensor smooth_load;  ///< (E) sparse, training with load_estimator smooth: see smooth_load()
  at::Tensor aux_loss;     ///< () undefined where the coefficients are 0
};

class Head : public torch::nn::Module {
 public:
  explicit Head(const Group& group) : group_(group) {}

  /// @param features  (B, in_dim)
  /// @param draws     null: drawn from the default generator
  virtual HeadOutput forward(const at::Tensor& features, const Draws* draws = nullptr) = 0;

  /// (B, E, C): every expert on every row, without dropout; undefined for the dense head.
  virtual at::Tensor expert_logits(const at::Tensor& features) = 0;

 protected:
  /// The processes whose rows are one batch: in evaluation each has batches of its own.
  const Group& group() const { return is_training() ? group_ : alone(); }

 private:
  const Group& group_;
};

/// @pre config.num_classes is set
/// @param group  the processes that train it; must outlive it
std::shared_ptr<Head> make_head(const ModelConfig& config, const Group& group = alone());

}  // namespace moefb::trainer

// Tokens to their experts and back: two ways with equal results.
#pragma once

#include "trainer/models/patch_expert.h"
#include "trainer/models/patch_router.h"

namespace moefb::trainer {

enum class DispatchKind : uint8_t {
  kIndex,   ///< tokens sorted by expert, gathered once: memory linear in the tokens
  kOnehot,  ///< as published, for comparison: tensors of tokens x experts x capacity, a gather for each expert
};

/// The answers for the kept tokens, expert by expert.
struct ExpertOutputs {
  at::Tensor rows;    ///< (kept) I64: which token
  at::Tensor values;  ///< (kept, C, P, P) unweighted
  at::Tensor weight;  ///< (kept)
};

/// Runs each expert once on its tokens. An expert without tokens stays out of the graph: it gets no gradient.
/// @param tokens  (T, C, P, P); none of them may be kept, where other processes' tokens took all places
ExpertOutputs run_experts(const ConvExperts& experts, const at::Tensor& tokens, const Routing& routing,
                          DispatchKind kind);

/// The published form of a routing, both (T, E, capacity): one entry for each kept token.
struct DenseRouting {
  at::Tensor dispatch;  ///< bool
  at::Tensor combine;   ///< combine weights
};
DenseRouting dense_routing(const Routing& routing, int64_t experts);

}  // namespace moefb::trainer

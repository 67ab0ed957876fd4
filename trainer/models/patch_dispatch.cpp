#include "trainer/models/patch_dispatch.h"

#include <ATen/ATen.h>

namespace moefb::trainer {
namespace {

ExpertOutputs nothing_kept(const at::Tensor& tokens, const Routing& routing) {
  return {at::empty({0}, routing.expert.options()), tokens.narrow(0, 0, 0), routing.weight.narrow(0, 0, 0)};
}

/// Tokens of each expert, on the host: the one point where it waits for the device.
std::vector<int64_t> expert_loads(const at::Tensor& expert, int64_t experts) {
  // Shifted by one: what bincount finds at 0 are the dropped tokens.
  const at::Tensor counts = at::bincount(expert + 1, {}, experts + 1).to(at::kCPU);
  const auto* first = counts.const_data_ptr<int64_t>() + 1;
  return {first, first + experts};
}

ExpertOutputs run_by_index(const ConvExperts& experts, const at::Tensor& tokens, const Routing& routing) {
  const std::vector<int64_t> loads = expert_loads(routing.expert, int64_t(experts.size()));
  int64_t kept = 0;
  for (const int64_t load : loads) kept += load;
  if (kept == 0) return nothing_kept(tokens, routing);
  const at::Tensor order = at::argsort(routing.expert, /*stable=*/true, 0, /*descending=*/false);
  const at::Tensor rows = order.narrow(0, order.size(0) - kept, kept);  // dropped tokens, -1, come first
  // One split, not a slice for each expert: the gradient of a slice is as large as what it was cut from.
  const std::vector<at::Tensor> groups = tokens.index_select(0, rows).split_with_sizes(loads);
  std::vector<at::Tensor> values;
  for (size_t e = 0; e < experts.size(); ++e) {
    if (loads[e] > 0) values.push_back(experts[e]->forward(groups[e]));
  }
  return {rows, at::cat(values), routing.weight.index_select(0, rows)};
}

ExpertOutputs run_by_onehot(const ConvExperts& experts, const at::Tensor& tokens, const Routing& routing) {
  const DenseRouting dense = dense_routing(routing, int64_t(experts.size()));
  std::vector<at::Tensor> rows, values, weights;
  for (size_t e = 0; e < experts.size(); ++e) {
    const at::Tensor own = dense.dispatch.select(1, int64_t(e)).any(1).nonzero().squeeze(1);
    if (own.size(0) == 0) continue;
    rows.push_back(own);
    values.push_back(experts[e]->forward(tokens.index_select(0, own)));
    weights.push_back(dense.combine.select(1, int64_t(e)).sum(1).index_select(0, own));
  }
  if (rows.empty()) return nothing_kept(tokens, routing);
  return {at::cat(rows), at::cat(values), at::cat(weights)};
}

}  // namespace

ExpertOutputs run_experts(const ConvExperts& experts, const at::Tensor& tokens, const Routing& routing,
                          DispatchKind kind) {
  return kind == DispatchKind::kIndex ? run_by_index(experts, tokens, routing)
                                      : run_by_onehot(experts, tokens, routing);
}

DenseRouting dense_routing(const Routing& routing, int64_t experts) {
  const at::Tensor kept = (routing.expert >= 0).nonzero().squeeze(1);
  const c10::List<std::optional<at::Tensor>> entries(
      {kept, routing.expert.index_select(0, kept), routing.slot.index_select(0, kept)});
  const at::Tensor empty = at::zeros({routing.expert.size(0), experts, routing.capacity}, routing.weight.options());
  return {empty.to(at::kBool).index_put(entries, at::ones({}, empty.options().dtype(at::kBool))),
          empty.index_put(entries, routing.weight.index_select(0, kept))};
}

}  // namespace moefb::trainer

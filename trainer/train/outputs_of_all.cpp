#include "trainer/train/outputs_of_all.h"

#include <ATen/ATen.h>

#include "trainer/distributed/rows.h"

namespace moefb::trainer {
namespace {

using Outputs = std::vector<NetworkOutput>;

/// Fills the tensor that `member` names in all outputs.
template <typename Member>
void gather_member(const NetworkOutput& out, const BatchRows& pictures, Outputs& all, const Member& member) {
  const at::Tensor& own = member(out);
  if (!own.defined()) return;
  const std::vector<at::Tensor> parts = pictures.gather_each(own);
  for (size_t rank = 0; rank < all.size(); ++rank) member(all[rank]) = parts[rank];
}

/// In one message: scores, weights and experts, whose numbers f32 holds exactly.
void gather_layer(const LayerRouting& layer, const Group& group, Outputs& all) {
  const Routing& own = layer.routing;
  const int64_t experts = own.scaled_logits.size(1);
  const at::Tensor expert = own.expert.to(own.scaled_logits.scalar_type());
  const at::Tensor packed =
      at::cat({own.scaled_logits.detach(), own.weight.detach().unsqueeze(1), expert.unsqueeze(1)}, 1);
  const std::vector<at::Tensor> parts = rows_of(group, packed.size(0)).gather_each(packed);
  const std::vector<at::Tensor> numbers =
      group.gather(at::tensor({double(own.capacity), double(own.groups), own.logits_std.item<double>()}, at::kDouble));
  for (size_t rank = 0; rank < all.size(); ++rank) {
    Routing routing;
    routing.scaled_logits = parts[rank].narrow(1, 0, experts);
    routing.weight = parts[rank].select(1, experts);
    routing.expert = parts[rank].select(1, experts + 1).to(at::kLong);
    const auto* number = numbers[rank].const_data_ptr<double>();
    routing.capacity = int64_t(number[0]);
    routing.groups = int64_t(number[1]);
    routing.logits_std = at::scalar_tensor(number[2], at::kDouble);
    all[rank].routing.push_back({layer.layer, routing});
  }
}

template <typename Member>
void join_member(const Outputs& shares, NetworkOutput& whole, const Member& member) {
  std::vector<at::Tensor> parts;
  for (const NetworkOutput& share : shares) {
    if (member(share).defined()) parts.push_back(member(share));
  }
  if (!parts.empty()) member(whole) = at::cat(parts);
}

/// The same member of a constant and of a changing output.
constexpr auto kLogits = [](auto& out) -> auto& {
  return out.logits;
};
constexpr auto kProbs = [](auto& out) -> auto& {
  return out.head.probs;
};
constexpr auto kChosen = [](auto& out) -> auto& {
  return out.head.topk_idx;
};

}  // namespace

Outputs outputs_of_all(const NetworkOutput& out, const Group& group) {
  if (group.size() == 1) return {out};
  Outputs all(static_cast<size_t>(group.size()));
  const BatchRows pictures = rows_of(group, out.logits.size(0));
  gather_member(out, pictures, all, kLogits);
  gather_member(out, pictures, all, kProbs);
  gather_member(out, pictures, all, kChosen);
  for (const LayerRouting& layer : out.routing) gather_layer(layer, group, all);
  return all;
}

NetworkOutput joined(Outputs shares) {
  if (shares.size() == 1) return std::move(shares.front());
  NetworkOutput whole;
  join_member(shares, whole, kLogits);
  join_member(shares, whole, kProbs);
  join_member(shares, whole, kChosen);
  for (size_t i = 0; i < shares.front().routing.size(); ++i) {
    // Capacity, groups and deviation are of all processes already.
    whole.routing.push_back(shares.front().routing[i]);
    join_member(
        shares, whole, [i](auto& out) -> auto& { return out.routing[i].routing.scaled_logits; });
    join_member(
        shares, whole, [i](auto& out) -> auto& { return out.routing[i].routing.weight; });
    join_member(
        shares, whole, [i](auto& out) -> auto& { return out.routing[i].routing.expert; });
  }
  return whole;
}

}  // namespace moefb::trainer

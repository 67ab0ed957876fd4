// MoE layers and stages.
#include "format/fields.h"
#include "format/translate.h"
#include "graph/shapes.h"

namespace moefb::format {
namespace {

constexpr size_t kMaxBands = 64;
constexpr int kMaxPublishedLayer = 10000;

Status read_norm(const fb::Norm* raw, size_t tensors, graph::Norm& norm) noexcept {
  if (raw == nullptr) return {};  // an absent norm is none
  MOEFB_TRY(read_enum<graph::NormKind::kLayerNorm>(raw->kind(), "a norm's kind is unknown", norm.kind));
  norm.eps = raw->eps();
  norm.unbiased = raw->unbiased();
  MOEFB_TRY(read_optional_index(raw->weight(), tensors, "a norm's weight does not exist", norm.weight));
  return read_optional_index(raw->bias(), tensors, "a norm's bias does not exist", norm.bias);
}

Status read_features(const fb::Router& raw, size_t tensors, graph::Router& router) {
  router.pool_mean = raw.pool_mean();
  router.pool_max = raw.pool_max();
  router.coordinates = raw.coordinates();
  const auto bands = read_elements(raw.fourier_bands(), kMaxBands, "a router has too many Fourier bands");
  if (!bands.ok()) return bands.status();
  router.fourier_bands.assign(bands->begin(), bands->end());
  MOEFB_TRY(read_norm(raw.feature_norm(), tensors, router.feature_norm));
  MOEFB_TRY(read_optional_index(raw.weight(), tensors, "a router's weight does not exist", router.weight));
  return read_optional_index(raw.bias(), tensors, "a router's bias does not exist", router.bias);
}

Status read_scores(const fb::Router& raw, size_t tensors, graph::Router& router) noexcept {
  router.centered = raw.centered();
  router.temperature = raw.temperature();
  router.clamp = raw.clamp();
  return read_norm(raw.score_norm(), tensors, router.score_norm);
}

Status read_rules(const fb::Router& raw, graph::Router& router) noexcept {
  using graph::Router;
  MOEFB_TRY(read_enum<graph::MaskRule::kIndex>(raw.mask_rule(), "a mask rule is unknown", router.mask_rule));
  if (static_cast<uint8_t>(raw.tie_rule()) != static_cast<uint8_t>(fb::TieRule::lowest_index)) {
    return corrupt("a tie rule is unknown").values(static_cast<uint8_t>(raw.tie_rule()), 0);
  }
  router.capacity_factor = raw.capacity_factor();
  MOEFB_TRY(
      read_enum<CapacityGroup::kNone>(raw.capacity_group(), "a capacity group is unknown", router.capacity_group));
  MOEFB_TRY(
      read_enum<graph::DropPolicy::kSecondChoice>(raw.drop_policy(), "a drop policy is unknown", router.drop_policy));
  return read_enum<graph::CombineRule::kGate>(raw.combine(), "a combine rule is unknown", router.combine);
}

Status read_router(const fb::Router* raw, size_t tensors, graph::Router& router) {
  if (raw == nullptr) return corrupt("an MoE layer has no router");
  MOEFB_TRY(read_enum<graph::RouterKind::kPatchTop1>(raw->kind(), "a router's kind is unknown", router.kind));
  MOEFB_TRY(read_number(raw->top_k(), graph::kMaxExperts, "a router's K is too large", router.top_k));
  MOEFB_TRY(read_features(*raw, tensors, router));
  MOEFB_TRY(read_scores(*raw, tensors, router));
  return read_rules(*raw, router);
}

Status read_bank(const fb::ExpertBank* raw, size_t tensors, graph::ExpertBank& bank) {
  if (raw == nullptr) return corrupt("an MoE layer has no experts");
  MOEFB_TRY(read_number(raw->experts(), graph::kMaxExperts, "the number of experts is too large", bank.experts));
  MOEFB_TRY(read_values(raw->values(), bank.values));
  bank.body.resize(count(raw->body()));
  for (size_t i = 0; i < bank.body.size(); ++i) {
    MOEFB_TRY(read_node(*raw->body()->Get(uint32_t(i)), bank.values.size(), tensors, bank.body[i]));
  }
  return {};
}

Status read_published_layer(int32_t raw, int& layer) noexcept {
  if (raw < graph::kNone || raw > kMaxPublishedLayer) {
    return corrupt("a published layer's index is out of range").values(raw, kMaxPublishedLayer);
  }
  layer = raw;
  return {};
}

Status read_stage(const fb::Stage& raw, size_t values, size_t tensors, graph::Stage& stage) {
  if ((raw.node() != nullptr) == (raw.moe() != nullptr)) return corrupt("a stage is not one of node and MoE layer");
  stage.is_moe = raw.moe() != nullptr;
  return stage.is_moe ? read_moe(*raw.moe(), values, tensors, stage.moe)
                      : read_node(*raw.node(), values, tensors, stage.node);
}

}  // namespace

Status read_moe(const fb::MoE& raw, size_t values, size_t tensors, graph::MoE& moe) {
  MOEFB_TRY(read_published_layer(raw.published_layer(), moe.published_layer));
  MOEFB_TRY(read_index(raw.input(), values, "an MoE layer's input does not exist", moe.input));
  MOEFB_TRY(read_index(raw.output(), values, "an MoE layer's output does not exist", moe.output));
  MOEFB_TRY(read_number(raw.patch(), graph::kMaxExtent, "a patch is too large", moe.patch));
  MOEFB_TRY(read_router(raw.router(), tensors, moe.router));
  MOEFB_TRY(read_bank(raw.bank(), tensors, moe.bank));
  MOEFB_TRY(read_optional_index(raw.gamma(), tensors, "an MoE layer's gamma does not exist", moe.gamma));
  moe.residual = raw.residual();
  moe.crop_padding = raw.crop_padding();
  return {};
}

Status read_stages(const fb::Model& model, size_t values, size_t tensors, std::vector<graph::Stage>& stages) {
  stages.resize(count(model.stages()));
  if (stages.empty()) return corrupt("the model has no stages");
  for (size_t i = 0; i < stages.size(); ++i) {
    const Status s = read_stage(*model.stages()->Get(uint32_t(i)), values, tensors, stages[i]);
    if (!s.ok()) return s.at(int64_t(i));
  }
  return {};
}

}  // namespace moefb::format

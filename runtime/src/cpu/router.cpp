// Routing on the CPU: features -> gate -> scores -> choice -> capacity.
//
// Sources: spec/cifar-heads.md, sections 5 and 6; spec/patch-moe.md, sections 2 to 4. The arithmetic is
// kernels/routing.h, one piece of code for every backend, and the gate's products always come from the reference
// kernel: a score must not depend on who computes it.
#include <algorithm>
#include <cmath>

#include "cpu/moe.h"
#include "cpu/weights.h"
#include "graph/shapes.h"
#include "kernels/reference/kernels.h"
#include "kernels/routing.h"

namespace moefb::cpu {
namespace {

namespace routing = kernels::routing;
using graph::Router;
using graph::RouterKind;

constexpr int64_t kGrainProducts = 100'000;  // of the gate, some 10 us: worth a hand-off

/// True where the features are the tokens as they lie in the input: vectors, taken as they are.
bool are_tokens(const Router& router, const Tokens& tokens) noexcept {
  const bool vectors = tokens.input().h == 1 && tokens.input().w == 1 && tokens.patch() == 1;
  return vectors && router.feature_norm.kind == graph::NormKind::kNone;
}

/// Features of tokens begin to end: a.features, but where the input already is what is wanted.
const float* make_features(const MoeOp& op, int64_t features, const float* map, int64_t begin, int64_t end,
                           const MoeArrays& a) noexcept {
  const Router& router = op.moe().router;
  if (are_tokens(router, op.tokens())) return map;
  const RouterWeights& w = op.router();
  for (int64_t t = begin; t < end; ++t) {
    float* row = a.features + t * features;
    op.tokens().gather(map, t, row);
    if (router.feature_norm.kind == graph::NormKind::kLayerNorm) {
      routing::layer_norm(row, features, router.feature_norm.eps, w.norm_weight.get(), w.norm_bias.get(), row);
    }
  }
  return a.features;
}

/// Raw scores of tokens begin to end, taken as they are: a.gate_logits.
void plain_gate(const MoeOp& op, int64_t features, const float* map, int64_t begin, int64_t end,
                const MoeArrays& a) noexcept {
  const RouterWeights& w = op.router();
  const int64_t E = op.moe().bank.experts;
  const float* rows = make_features(op, features, map, begin, end, a);
  kernels::Window window;
  window.c = features, window.o = E;
  kernels::reference::conv2d(window, rows, w.gate.get(), w.gate_bias.get(), nullptr, kernels::Activation::kNone, begin,
                             end, a.gate_logits);
}

void pooled_gate(const MoeOp& op, const float* map, int64_t begin, int64_t end, const MoeArrays& a) noexcept {
  const PooledRouter& pooled = *op.router().pooled;
  const int64_t E = op.moe().bank.experts;
  for (int64_t t = begin; t < end; ++t) {
    pooled.run(op.tokens(), map, t, a.features + t * pooled.channels(), a.gate_logits + t * E);
  }
}

void gate(const MoeOp& op, int64_t features, const float* map, int64_t begin, int64_t end,
          const MoeArrays& a) noexcept {
  const int64_t E = op.moe().bank.experts;
  if (op.router().pooled) {
    pooled_gate(op, map, begin, end, a);
  } else {
    plain_gate(op, features, map, begin, end, a);
  }
  if (!op.moe().router.centered) return;
  for (int64_t t = begin; t < end; ++t) routing::center(a.gate_logits + t * E, E);
}

/// Every expert on every token, weighted by the softmax.
void choose_soft(const Router& router, int64_t E, int64_t t, const MoeArrays& a) noexcept {
  routing::softmax(a.gate_logits + t * E, E, router.temperature, a.probs + t * E);
  std::copy_n(a.gate_logits + t * E, E, a.scores + t * E);
  for (int64_t e = 0; e < E; ++e) a.chosen[t * E + e] = int32_t(e);
  std::copy_n(a.probs + t * E, E, a.weight + t * E);
}

/// The K best of the standardised scores; the softmax runs over what survives the mask.
void choose_top_k(const Router& router, int64_t E, int64_t t, const int32_t* replay, const MoeArrays& a) noexcept {
  const int64_t K = router.top_k;
  float* scores = a.scores + t * E;
  float* probs = a.probs + t * E;
  int32_t* chosen = a.chosen + t * K;
  if (router.score_norm.kind == graph::NormKind::kStandardize) {
    routing::standardize(a.gate_logits + t * E, E, router.score_norm.eps, router.score_norm.unbiased, scores);
  } else {
    std::copy_n(a.gate_logits + t * E, E, scores);
  }
  if (replay != nullptr) {
    std::copy_n(replay + t * K, K, chosen);
  } else {
    routing::top_k(scores, E, K, chosen);
  }
  float gate_weight = 0;
  if (router.combine == graph::CombineRule::kGate) {  // before `probs` takes the masked ones
    routing::softmax(scores, E, router.temperature, probs);
    gate_weight = probs[chosen[0]];
  }
  if (router.mask_rule == graph::MaskRule::kThreshold && replay == nullptr) {
    routing::masked_softmax_threshold(scores, E, scores[chosen[K - 1]], router.temperature, probs);
  } else {
    routing::masked_softmax_chosen(scores, E, chosen, K, router.temperature, probs);
  }
  for (int64_t k = 0; k < K; ++k) a.weight[t * K + k] = probs[chosen[k]];
  // Flaw 5 of the spec: with k = 1 the published weight is constantly 1 and the gate learns nothing.
  if (router.combine == graph::CombineRule::kGate && K == 1) a.weight[t] = gate_weight;
}

/// The most probable expert; capacity comes later.
void choose_patch(const Router& router, int64_t E, int64_t t, const MoeArrays& a) noexcept {
  float* scores = a.scores + t * E;
  float* probs = a.probs + t * E;
  for (int64_t e = 0; e < E; ++e) {
    const float s = a.gate_logits[t * E + e] / router.temperature;
    scores[e] = router.clamp > 0 ? std::clamp(s, -router.clamp, router.clamp) : s;
  }
  routing::softmax(scores, E, 1.0f, probs);
  routing::top_k(probs, E, 1, a.chosen + t);
  a.gate[t] = probs[a.chosen[t]];
}

/// Slots and drops of the `count` tokens of one capacity group, which start at `first`.
void apply_capacity(int64_t E, int64_t capacity, int64_t first, int64_t count, const MoeArrays& a) noexcept {
  int32_t* chosen = a.chosen + first;
  int32_t* slot = a.slot + first;
  routing::rank_slots(chosen, a.gate + first, count, E, a.order, a.offsets, slot);
  for (int64_t t = 0; t < count; ++t) {
    if (slot[t] < capacity) continue;
    chosen[t] = -1;
    slot[t] = -1;
  }
}

/// The same for those that found no room: their next choices.
void apply_second_choice(int64_t E, int64_t capacity, int64_t first, int64_t count, const MoeArrays& a) noexcept {
  routing::place_dropped(a.probs + first * E, a.gate + first, count, E, capacity, a.order, a.position, a.offsets,
                         a.chosen + first, a.slot + first);
}

/// The published weight is g / max(g, 1e-6): exactly 1 where g, the probability of the token's expert, is not tiny.
void patch_weights(graph::CombineRule combine, int64_t E, int64_t T, const MoeArrays& a) noexcept {
  for (int64_t t = 0; t < T; ++t) {
    const float g = a.chosen[t] < 0 ? 0.0f : a.probs[t * E + a.chosen[t]];
    a.weight[t] = combine == graph::CombineRule::kGate ? g : g / std::max(g, 1e-6f);
  }
}

void settle_patch_routes(const MoeOp& op, CapacityGroup group, int64_t n, const int32_t* replay,
                         const MoeArrays& a) noexcept {
  const Router& router = op.moe().router;
  const int64_t E = op.moe().bank.experts, per_image = op.tokens().per_image(), T = n * per_image;
  if (replay != nullptr) std::copy_n(replay, T, a.chosen);
  // Given routes are final: who has none stays without.
  const int64_t capacity = replay != nullptr ? T : group_capacity(op, group, n);
  const bool second_choice = replay == nullptr && router.drop_policy == graph::DropPolicy::kSecondChoice;
  const int64_t group_tokens = group == CapacityGroup::kImage ? per_image : T;
  for (int64_t first = 0; first < T; first += group_tokens) {
    apply_capacity(E, capacity, first, group_tokens, a);
    if (second_choice) apply_second_choice(E, capacity, first, group_tokens, a);
  }
  patch_weights(router.combine, E, T, a);
}

}  // namespace

Status MoeOp::pack_router(const graph::Graph& graph) noexcept {
  const Router& router = moe_->router;
  if (router.pool_mean || router.pool_max) return router_.pooled.emplace().pack(graph, *moe_, tokens_);
  Buffer<float> weight;
  MOEFB_TRY(load_f32(graph, router.weight, weight));
  MOEFB_TRY(load_f32(graph, router.bias, router_.gate_bias));
  MOEFB_TRY(load_f32(graph, router.feature_norm.weight, router_.norm_weight));
  MOEFB_TRY(load_f32(graph, router.feature_norm.bias, router_.norm_bias));

  const int64_t E = moe_->bank.experts;
  const int64_t features = graph.tensors[size_t(router.weight)].shape[1];
  router_.gate = allocate<float>(E * features);
  if (router_.gate == nullptr) return Status(Code::kOutOfMemory, "no memory for a router");
  kernels::reference::pack_conv2d(weight.get(), E, features, 1, 1, router_.gate.get());
  return {};
}

int64_t group_capacity(const MoeOp& op, CapacityGroup group, int64_t n) noexcept {
  const int64_t per_image = op.tokens().per_image(), T = n * per_image;
  if (group == CapacityGroup::kNone) return T;
  return routing::capacity(op.moe().router.capacity_factor, group == CapacityGroup::kImage ? per_image : T,
                           op.moe().bank.experts);
}

void route(const MoeOp& op, CapacityGroup group, int64_t n, const float* src, const int32_t* replay, const MoeArrays& a,
           ThreadPool& threads) noexcept {
  const Router& router = op.moe().router;
  const int64_t E = op.moe().bank.experts, T = n * op.tokens().per_image();
  const int64_t features = router_features(router, op.tokens().input());
  threads.parallel_for(T, 1 + kGrainProducts / (features * E), [&](int64_t begin, int64_t end) {
    gate(op, features, src, begin, end, a);
    for (int64_t t = begin; t < end; ++t) {
      switch (router.kind) {
        case RouterKind::kSoft:
          choose_soft(router, E, t, a);
          break;
        case RouterKind::kTopK:
          choose_top_k(router, E, t, replay, a);
          break;
        case RouterKind::kPatchTop1:
          choose_patch(router, E, t, a);
          break;
      }
    }
  });
  if (router.kind == RouterKind::kPatchTop1) settle_patch_routes(op, group, n, replay, a);
}

}  // namespace moefb::cpu

// Shape inference of MoE layers: the expert body on one token, and what the layer makes of its answers.
#include "graph/def_use.h"
#include "graph/router_check.h"
#include "graph/shapes.h"

namespace moefb::graph {
namespace {

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

/// A vector is one token; of a map a token is a square of pixels.
Shape token_shape(const Layer& layer) noexcept {
  return layer.input.rank == 3 ? Shape{3, {layer.input[0], layer.moe.patch, layer.moe.patch}} : layer.input;
}

/// Runs shapes through the body. @return the shape of the last node's output
Result<Shape> infer_body(const Layer& layer) noexcept {
  const ExpertBank& bank = layer.moe.bank;
  if (bank.values.empty() || bank.body.empty()) return corrupt("an expert has no body");
  if (!(bank.values[0].shape == token_shape(layer))) return corrupt("an expert's value 0 is not shaped like a token");
  DefUse flow(bank.values.size());
  MOEFB_TRY(flow.define(0));
  for (const Node& node : bank.body) {
    for (int input : node.inputs) MOEFB_TRY(flow.use(input));
    const auto shape = infer(node, bank.values, layer.tensors, layer.experts());
    if (!shape.ok()) return shape.status();
    MOEFB_TRY(flow.define(node.output));
    if (!(*shape == bank.values[size_t(node.output)].shape)) {
      return corrupt("an expert's value has another shape than its op gives").at(node.output);
    }
  }
  const int answer = bank.body.back().output;
  MOEFB_TRY(flow.use(answer));
  MOEFB_TRY(flow.finish());
  return bank.values[size_t(answer)].shape;
}

/// Tokens laid out again as they were cut: a map grows to whole patches, unless these are cropped to its size.
Shape joined_map(const Layer& layer) noexcept {
  if (layer.input.rank != 3 || layer.moe.crop_padding) return layer.input;
  const TokenGrid grid = token_grid(layer.extents(), layer.moe.patch);
  return {3, {layer.input[0], grid.rows * layer.moe.patch, grid.columns * layer.moe.patch}};
}

/// With a residual the answer is added to the token, so it has its shape; without, an image is one token with one
/// vector of scores.
Result<Shape> combine(const Layer& layer, const Shape& answer) noexcept {
  if (layer.moe.residual) {
    if (!(answer == token_shape(layer))) return corrupt("an expert with a residual does not answer in a token's shape");
    return joined_map(layer);
  }
  if (layer.input.rank != 1 || answer.rank != 1) {
    return corrupt("an MoE layer without residual is not vector to vector");
  }
  return answer;
}

}  // namespace

Result<Shape> infer(const MoE& moe, std::span<const Value> values, std::span<const Tensor> tensors) noexcept {
  const Layer layer{moe, values[size_t(moe.input)].shape, tensors};
  if (moe.patch < 1) return corrupt("a patch has no pixels");
  if (layer.input.rank == 1 && moe.crop_padding) return corrupt("a vector has no padding to crop");
  if (layer.input.rank == 1 && moe.patch != 1) return corrupt("a vector is cut into patches").values(moe.patch, 1);
  if (moe.bank.experts < 1 || moe.bank.experts > kMaxExperts) {
    return corrupt("the number of experts is out of range").values(moe.bank.experts, kMaxExperts);
  }
  MOEFB_TRY(check_router(layer));
  if (moe.gamma != kNone) MOEFB_TRY(check_f32(layer, moe.gamma, Shape{1, {1}}));
  const auto answer = infer_body(layer);
  if (!answer.ok()) return answer.status();
  return combine(layer, *answer);
}

}  // namespace moefb::graph

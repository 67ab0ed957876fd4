// Shape inference of nodes; moe_shapes.cpp does MoE layers.
//
// Every function trusts that indices are in range and extents within kMaxExtent (the reader has seen to that), and
// proves that attributes, inputs and weights fit one another. A field that an op does not use must hold its default:
// what has no meaning today may get one.
#include "graph/shapes.h"

#include <cmath>

namespace moefb::graph {
namespace {

constexpr size_t kMaxAddends = 8;

constexpr Status corrupt(const char* text) noexcept {
  return {Code::kCorruptFile, text};
}

/// One node with the tables that its indices point into.
struct Site {
  const Node& node;
  std::span<const Value> values;
  std::span<const Tensor> tensors;
  int64_t experts;

  const Shape& input(size_t i) const noexcept { return values[size_t(node.inputs[i])].shape; }
};

/// Proves that tensor `index` is there, has `shape`, holds `experts` experts and, unless `bf16_allowed`, is f32.
Status check_tensor(std::span<const Tensor> tensors, int index, const Shape& shape, int64_t experts,
                    bool bf16_allowed) noexcept {
  const Tensor& tensor = tensors[size_t(index)];
  if (!(tensor.shape == shape)) return corrupt("a weight's shape does not fit its op").at(index);
  if (tensor.count != experts) {
    return corrupt("a weight holds another number of experts").at(index).values(tensor.count, experts);
  }
  if (tensor.dtype != Dtype::kF32 && !(bf16_allowed && tensor.dtype == Dtype::kBf16)) {
    return corrupt("a weight has a dtype that its op does not take").at(index);
  }
  return {};
}

Status check_vector(const Site& site, int index, int64_t size) noexcept {
  return check_tensor(site.tensors, index, Shape{1, {size}}, site.experts, false);
}

Status check_no_weights(const Node& node) noexcept {
  return node.weight == kNone && node.bias == kNone ? Status() : corrupt("an op without weights has some");
}

Status check_no_window(const Node& node) noexcept {
  const bool none = node.kernel_h == 0 && node.kernel_w == 0 && node.stride == 1 && node.padding == 0;
  return none ? Status() : corrupt("an op without a window has a kernel, stride or padding");
}

Status check_no_norm(const Node& node) noexcept {
  return node.groups == 1 && node.eps == 0 ? Status() : corrupt("an op without normalisation has groups or eps");
}

Status check_inputs(const Node& node, size_t least, size_t most) noexcept {
  const size_t count = node.inputs.size();
  if (count < least) return corrupt("an op has too few inputs").values(int64_t(count), int64_t(least));
  if (count > most) return corrupt("an op has too many inputs").values(int64_t(count), int64_t(most));
  return {};
}

Status check_map(const Shape& shape) noexcept {
  return shape.rank == 3 ? Status() : corrupt("an op takes a map (C, H, W)").values(shape.rank, 3);
}

/// Output side of a window that slides over `size` pixels. A window always touches a real pixel: padding < kernel.
Result<int64_t> windows(int64_t size, int64_t kernel, int64_t stride, int64_t padding) noexcept {
  if (kernel < 1 || stride < 1) return corrupt("a window has a kernel or stride of 0");
  if (padding >= kernel) return corrupt("a window's padding reaches its kernel size").values(padding, kernel - 1);
  if (size + 2 * padding < kernel) return corrupt("a window is larger than its padded input").values(kernel, size);
  return (size + 2 * padding - kernel) / stride + 1;
}

/// (channels, OH, OW) of a window over the first input.
Result<Shape> slide(const Site& site, int64_t channels) noexcept {
  const Node& node = site.node;
  const Shape& in = site.input(0);
  const auto rows = windows(in[1], node.kernel_h, node.stride, node.padding);
  if (!rows.ok()) return rows.status();
  const auto columns = windows(in[2], node.kernel_w, node.stride, node.padding);
  if (!columns.ok()) return columns.status();
  return Shape{3, {channels, *rows, *columns}};
}

/// The second input of conv2d and linear is added to the result, so it has its shape.
Result<Shape> with_residual(const Site& site, const Shape& out) noexcept {
  if (site.node.inputs.size() == 2 && !(site.input(1) == out)) return corrupt("a residual input has another shape");
  return out;
}

Result<Shape> conv2d(const Site& site) noexcept {
  const Node& node = site.node;
  MOEFB_TRY(check_inputs(node, 1, 2));
  MOEFB_TRY(check_map(site.input(0)));
  MOEFB_TRY(check_no_norm(node));
  if (node.weight == kNone) return corrupt("an op lacks its weight");
  const Shape& weight = site.tensors[size_t(node.weight)].shape;
  if (weight.rank != 4) return corrupt("a convolution's weight is not (O, I, KH, KW)").values(weight.rank, 4);
  const int64_t out_channels = weight[0];
  const Shape expected{4, {out_channels, site.input(0)[0], node.kernel_h, node.kernel_w}};
  MOEFB_TRY(check_tensor(site.tensors, node.weight, expected, site.experts, true));
  if (node.bias != kNone) MOEFB_TRY(check_vector(site, node.bias, out_channels));
  const auto out = slide(site, out_channels);
  if (!out.ok()) return out.status();
  return with_residual(site, *out);
}

Result<Shape> linear(const Site& site) noexcept {
  const Node& node = site.node;
  MOEFB_TRY(check_inputs(node, 1, 2));
  MOEFB_TRY(check_no_window(node));
  MOEFB_TRY(check_no_norm(node));
  const Shape& in = site.input(0);
  if (in.rank != 1) return corrupt("a linear layer takes a vector (D)").values(in.rank, 1);
  if (node.weight == kNone) return corrupt("an op lacks its weight");
  const Shape& weight = site.tensors[size_t(node.weight)].shape;
  if (weight.rank != 2) return corrupt("a linear layer's weight is not (O, I)").values(weight.rank, 2);
  MOEFB_TRY(check_tensor(site.tensors, node.weight, Shape{2, {weight[0], in[0]}}, site.experts, true));
  if (node.bias != kNone) MOEFB_TRY(check_vector(site, node.bias, weight[0]));
  return with_residual(site, Shape{1, {weight[0]}});
}

Result<Shape> max_pool(const Site& site) noexcept {
  MOEFB_TRY(check_inputs(site.node, 1, 1));
  MOEFB_TRY(check_map(site.input(0)));
  MOEFB_TRY(check_no_weights(site.node));
  MOEFB_TRY(check_no_norm(site.node));
  if (site.node.activation != Activation::kNone) return corrupt("pooling has no activation");
  return slide(site, site.input(0)[0]);
}

Result<Shape> global_average_pool(const Site& site) noexcept {
  MOEFB_TRY(check_inputs(site.node, 1, 1));
  MOEFB_TRY(check_map(site.input(0)));
  MOEFB_TRY(check_no_weights(site.node));
  MOEFB_TRY(check_no_window(site.node));
  MOEFB_TRY(check_no_norm(site.node));
  if (site.node.activation != Activation::kNone) return corrupt("pooling has no activation");
  return Shape{1, {site.input(0)[0]}};
}

Result<Shape> group_norm(const Site& site) noexcept {
  const Node& node = site.node;
  MOEFB_TRY(check_inputs(node, 1, 1));
  MOEFB_TRY(check_map(site.input(0)));
  MOEFB_TRY(check_no_window(node));
  const int64_t channels = site.input(0)[0];
  if (node.groups < 1 || channels % node.groups != 0) {
    return corrupt("the groups of a norm do not divide its channels").values(node.groups, channels);
  }
  if (!std::isfinite(node.eps) || node.eps <= 0) return corrupt("a norm's eps is not a positive number");
  if (node.weight == kNone || node.bias == kNone) return corrupt("an op lacks its weight");
  MOEFB_TRY(check_vector(site, node.weight, channels));
  MOEFB_TRY(check_vector(site, node.bias, channels));
  return site.input(0);
}

Result<Shape> add(const Site& site) noexcept {
  MOEFB_TRY(check_inputs(site.node, 2, kMaxAddends));
  MOEFB_TRY(check_no_weights(site.node));
  MOEFB_TRY(check_no_window(site.node));
  MOEFB_TRY(check_no_norm(site.node));
  for (size_t i = 1; i < site.node.inputs.size(); ++i) {
    if (!(site.input(i) == site.input(0))) return corrupt("the inputs of an addition differ in shape");
  }
  return site.input(0);
}

}  // namespace

Result<Shape> infer(const Node& node, std::span<const Value> values, std::span<const Tensor> tensors,
                    int64_t experts) noexcept {
  const Site site{node, values, tensors, experts};
  switch (node.op) {
    case Op::kConv2d:
      return conv2d(site);
    case Op::kLinear:
      return linear(site);
    case Op::kMaxPool:
      return max_pool(site);
    case Op::kGlobalAveragePool:
      return global_average_pool(site);
    case Op::kGroupNorm:
      return group_norm(site);
    case Op::kAdd:
      return add(site);
  }
  return corrupt("an op is unknown");
}

}  // namespace moefb::graph

#include "converter/node_writer.h"

#include <algorithm>
#include <stdexcept>

namespace moefb::convert {
namespace {

std::unique_ptr<fb::NodeT> make_node(fb::Op op, std::vector<uint32_t> inputs) {
  auto node = std::make_unique<fb::NodeT>();
  node->op = op;
  node->inputs = std::move(inputs);
  return node;
}

}  // namespace

uint32_t NodeWriter::add_value(const Extents& shape, const std::string& name) {
  auto value = std::make_unique<fb::ValueT>();
  value->name = name;
  value->shape.assign(shape.begin(), shape.end());
  values_.push_back(std::move(value));
  return static_cast<uint32_t>(values_.size()) - 1;
}

Extents NodeWriter::shape(uint32_t value) const {
  const std::vector<uint64_t>& shape = values_.at(value)->shape;
  return {shape.begin(), shape.end()};
}

uint32_t NodeWriter::finish(std::unique_ptr<fb::NodeT> node, const Extents& shape, const std::string& name) {
  const uint32_t output = add_value(shape, name);
  node->output = output;
  append_(std::move(node));
  return output;
}

uint32_t NodeWriter::slide(std::unique_ptr<fb::NodeT> node, uint32_t kernel, uint32_t stride, int64_t channels,
                           const std::string& name) {
  const Extents in = shape(node->inputs.front());
  const auto reduced = [&](int64_t extent) { return (extent - 1) / int64_t(stride) + 1; };
  node->kernel_h = node->kernel_w = kernel;
  node->stride = stride;
  node->padding = kernel / 2;
  return finish(std::move(node), {channels, reduced(in[1]), reduced(in[2])}, name);
}

uint32_t NodeWriter::conv2d(uint32_t src, int32_t weight, int32_t bias, const ConvOptions& options) {
  const fb::TensorT& kernel = weights_.tensor(weight);  // (O, I, KH, KW)
  const auto side = static_cast<uint32_t>(kernel.shape[2]);
  auto node = make_node(fb::Op::conv2d, {src});
  if (options.skip >= 0) node->inputs.push_back(static_cast<uint32_t>(options.skip));
  node->weight = weight;
  node->bias = bias;
  node->activation = options.activation;
  const auto channels = static_cast<int64_t>(kernel.shape[0]);
  const uint32_t output = slide(std::move(node), side, options.stride, channels, options.name);
  const Extents out = shape(output);
  count(out[0] * out[1] * out[2] * shape(src)[0] * side * side);
  return output;
}

uint32_t NodeWriter::max_pool(uint32_t src, uint32_t kernel, uint32_t stride) {
  return slide(make_node(fb::Op::max_pool, {src}), kernel, stride, shape(src)[0], "");
}

uint32_t NodeWriter::linear(uint32_t src, int32_t weight, int32_t bias, fb::Activation activation,
                            const std::string& name) {
  const fb::TensorT& matrix = weights_.tensor(weight);  // (O, I)
  const auto out = static_cast<int64_t>(matrix.shape[0]);
  auto node = make_node(fb::Op::linear, {src});
  node->weight = weight;
  node->bias = bias;
  node->activation = activation;
  count(out * static_cast<int64_t>(matrix.shape[1]));
  return finish(std::move(node), {out}, name);
}

uint32_t NodeWriter::group_norm(uint32_t src, int32_t weight, int32_t bias, fb::Activation activation) {
  const int64_t channels = shape(src)[0];
  const int64_t groups = std::min(kGroupNormGroups, channels);
  if (channels % groups != 0) {
    throw std::runtime_error(weights_.source() + ": tensor \"" + weights_.tensor(weight).name +
                             "\": " + std::to_string(channels) + " channels, expected a multiple of " +
                             std::to_string(groups) + " for its GroupNorm");
  }
  auto node = make_node(fb::Op::group_norm, {src});
  node->weight = weight;
  node->bias = bias;
  node->groups = static_cast<uint32_t>(groups);
  node->eps = kGroupNormEps;
  node->activation = activation;
  return finish(std::move(node), shape(src), "");
}

uint32_t NodeWriter::add(const std::vector<uint32_t>& inputs, fb::Activation activation, const std::string& name) {
  auto node = make_node(fb::Op::add, inputs);
  node->activation = activation;
  return finish(std::move(node), shape(inputs.front()), name);
}

uint32_t NodeWriter::global_average_pool(uint32_t src, const std::string& name) {
  return finish(make_node(fb::Op::global_average_pool, {src}), {shape(src)[0]}, name);
}

}  // namespace moefb::convert

// Values and nodes.
#include "format/fields.h"
#include "format/translate.h"
#include "graph/shapes.h"

namespace moefb::format {
namespace {

constexpr size_t kMaxInputs = 8;

Status read_value(const fb::Value& raw, graph::Value& value) {
  MOEFB_TRY(read_name(raw.name(), value.name));
  MOEFB_TRY(read_shape(raw.shape(), value.shape));
  if (value.shape.rank != 1 && value.shape.rank != 3) {
    return corrupt("a value is neither (D) nor (C, H, W)").values(value.shape.rank, 3);
  }
  return {};
}

Status read_inputs(const fb::Node& raw, size_t values, std::vector<int>& inputs) {
  const auto indices = read_elements(raw.inputs(), kMaxInputs, "a node has too many inputs");
  if (!indices.ok()) return indices.status();
  for (uint32_t index : *indices) {
    inputs.push_back(0);
    MOEFB_TRY(read_index(index, values, "a node's input does not exist", inputs.back()));
  }
  return {};
}

Status read_window(const fb::Node& raw, graph::Node& node) noexcept {
  constexpr const char* kText = "a node's kernel, stride, padding or groups is too large";
  MOEFB_TRY(read_number(raw.kernel_h(), graph::kMaxExtent, kText, node.kernel_h));
  MOEFB_TRY(read_number(raw.kernel_w(), graph::kMaxExtent, kText, node.kernel_w));
  MOEFB_TRY(read_number(raw.stride(), graph::kMaxExtent, kText, node.stride));
  MOEFB_TRY(read_number(raw.padding(), graph::kMaxExtent, kText, node.padding));
  return read_number(raw.groups(), graph::kMaxExtent, kText, node.groups);
}

}  // namespace

Status read_values(const flatbuffers::Vector<flatbuffers::Offset<fb::Value>>* raw, std::vector<graph::Value>& values) {
  values.resize(count(raw));
  for (size_t i = 0; i < values.size(); ++i) {
    if (const Status s = read_value(*raw->Get(uint32_t(i)), values[i]); !s.ok()) return s.at(int64_t(i));
  }
  return {};
}

Status read_node(const fb::Node& raw, size_t values, size_t tensors, graph::Node& node) {
  MOEFB_TRY(read_enum<graph::Op::kAdd>(raw.op(), "a node's op is unknown", node.op));
  MOEFB_TRY(read_inputs(raw, values, node.inputs));
  MOEFB_TRY(read_index(raw.output(), values, "a node's output does not exist", node.output));
  MOEFB_TRY(read_optional_index(raw.weight(), tensors, "a node's weight does not exist", node.weight));
  MOEFB_TRY(read_optional_index(raw.bias(), tensors, "a node's bias does not exist", node.bias));
  MOEFB_TRY(read_window(raw, node));
  node.eps = raw.eps();
  return read_enum<graph::Activation::kSilu>(raw.activation(), "a node's activation is unknown", node.activation);
}

}  // namespace moefb::format

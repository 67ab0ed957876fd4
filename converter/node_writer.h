// Writes nodes in execution order, with the shapes they produce: the graph's own, or those of an expert's body.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "converter/weight_segment.h"
#include "schema/moefb_generated.h"

namespace moefb::convert {

using Values = std::vector<std::unique_ptr<fb::ValueT>>;

inline constexpr int64_t kGroupNormGroups = 8;  // spec/patch-moe.md, notation
inline constexpr float kGroupNormEps = 1e-5f;

struct ConvOptions {
  uint32_t stride = 1;
  fb::Activation activation = fb::Activation::none;
  int32_t skip = -1;  ///< value that is added before the activation
  std::string name;   ///< of the output in traces
};

class NodeWriter {
 public:
  /// @param append  puts a finished node behind those before it
  NodeWriter(WeightSegment& weights, Values& values, std::function<void(std::unique_ptr<fb::NodeT>)> append)
      : weights_(weights), values_(values), append_(std::move(append)) {}

  uint32_t add_value(const Extents& shape, const std::string& name = "");
  Extents shape(uint32_t value) const;
  void set_name(uint32_t value, const std::string& name) { values_.at(value)->name = name; }

  /// Padding is half the kernel, which is odd. (C, H, W) -> (O, ceil(H / stride), ceil(W / stride))
  uint32_t conv2d(uint32_t src, int32_t weight, int32_t bias, const ConvOptions& options = {});
  /// (D) -> (O)
  uint32_t linear(uint32_t src, int32_t weight, int32_t bias, fb::Activation activation, const std::string& name = "");
  /// min(8, C) groups. @throws std::runtime_error naming the tensor if that does not divide C
  uint32_t group_norm(uint32_t src, int32_t weight, int32_t bias, fb::Activation activation);
  uint32_t add(const std::vector<uint32_t>& inputs, fb::Activation activation = fb::Activation::none,
               const std::string& name = "");
  /// The largest of kernel x kernel pixels; padding is half the kernel, which is odd.
  /// (C, H, W) -> (C, ceil(H / stride), ceil(W / stride))
  uint32_t max_pool(uint32_t src, uint32_t kernel, uint32_t stride);
  /// (C, H, W) -> (C)
  uint32_t global_average_pool(uint32_t src, const std::string& name);

  /// Of one pass through all nodes so far: convolutions and linear layers.
  int64_t multiply_adds() const { return multiply_adds_; }
  void count(int64_t multiply_adds) { multiply_adds_ += multiply_adds; }

  WeightSegment& weights() { return weights_; }

 private:
  uint32_t finish(std::unique_ptr<fb::NodeT> node, const Extents& shape, const std::string& name);
  /// A node whose window slides over its first input.
  uint32_t slide(std::unique_ptr<fb::NodeT> node, uint32_t kernel, uint32_t stride, int64_t channels,
                 const std::string& name);

  WeightSegment& weights_;
  Values& values_;
  std::function<void(std::unique_ptr<fb::NodeT>)> append_;
  int64_t multiply_adds_ = 0;
};

}  // namespace moefb::convert

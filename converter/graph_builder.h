// The model under construction: what the builders of the two families share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "converter/config.h"
#include "converter/node_writer.h"
#include "converter/state_dict.h"
#include "converter/weight_segment.h"
#include "schema/moefb_generated.h"

namespace moefb::convert {

/// Weights of a linear layer or a convolution, as tensors of the model.
struct Affine {
  int32_t weight = -1;
  int32_t bias = -1;
};

/// One weight of every expert, before it is stacked: key is prefix + expert + suffix.
struct ExpertKey {
  std::string prefix;  ///< "head.experts."
  int64_t experts = 0;
  std::string suffix;  ///< ".net.0.weight"
};

class GraphBuilder {
 public:
  GraphBuilder(const Config& config, StateDict& weights, WeightDtype dtype);

  const Config& config() const { return config_; }
  StateDict& source() { return source_; }
  const StateDict& source() const { return source_; }
  NodeWriter& nodes() { return nodes_; }
  WeightSegment& segment() { return segment_; }

  uint32_t set_input(const Extents& shape);
  void set_output(uint32_t value) { model_->output = value; }

  // ---- weights from the source to the segment, under their own names ----
  int32_t tensor(const std::string& key, const Extents& shape, Role role);
  /// `key`.weight and `key`.bias
  Affine linear(const std::string& key, const Extents& shape, Role role = Role::kMatrix);
  Affine norm(const std::string& key, int64_t channels);
  /// `conv`.weight without bias, with the BatchNorm `norm` after it folded in.
  Affine folded_conv(const std::string& conv, const std::string& norm, const Extents& shape);
  int32_t stacked(const ExpertKey& key, const Extents& shape, Role role);
  /// The side of a square, odd kernel with `shape` (O, I, *, *). @throws std::runtime_error naming the tensor
  int64_t kernel_side(const std::string& key, const Extents& channels) const;

  /// A writer for the body of the experts in `bank`, whose value 0 has `token_shape`.
  NodeWriter body(fb::ExpertBankT& bank, const Extents& token_shape);

  /// Appends an MoE layer whose input, router and bank are filled in; sets its output.
  /// @param body               the writer of the experts' body, finished
  /// @param expert_parameters  of all experts together, as published
  /// @return the output value: (C, H, W) padded to whole patches, or (classes)
  uint32_t moe(std::unique_ptr<fb::MoET> layer, const NodeWriter& body, int64_t expert_parameters,
               const std::string& name);

  /// The graph, complete but for what Meta and Preproc say of classes and pictures.
  /// @throws std::runtime_error if a tensor of the source was not used
  std::unique_ptr<fb::ModelT> finish();
  /// The weights, after finish().
  AlignedBytes take_segment() { return segment_.take_data(); }

 private:
  const Config& config_;
  StateDict& source_;
  WeightSegment segment_;
  std::unique_ptr<fb::ModelT> model_ = std::make_unique<fb::ModelT>();
  NodeWriter nodes_;
  int64_t idle_parameters_ = 0;  ///< of experts off a token's path
};

}  // namespace moefb::convert

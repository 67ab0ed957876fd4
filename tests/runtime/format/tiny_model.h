// Small valid models as tables that a test may still change, and the bytes they make. For tests of reader and executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "schema/container.h"
#include "schema/moefb_generated.h"

namespace moefb::testing {

/// Bytes at a multiple of 64, and not one more than asked for: a sanitizer sees every read behind them.
class FileBytes {
 public:
  explicit FileBytes(std::span<const std::byte> bytes);

  std::span<const std::byte> span() const { return {bytes_.get(), size_}; }
  std::span<std::byte> span() { return {bytes_.get(), size_}; }
  std::byte& operator[](size_t i) { return bytes_[i]; }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::unique_ptr<std::byte[], Free> bytes_;
  size_t size_;
};

/// The tables of a model and the bytes of its segments: 0 holds weights, 1 golden vectors.
struct TinyModel {
  fb::ModelT model;
  std::vector<std::vector<std::byte>> segments;

  fb::NodeT& node(size_t stage) { return *model.stages[stage]->node; }
  fb::MoET& moe(size_t stage) { return *model.stages[stage]->moe; }
  fb::TensorT& tensor(size_t index) { return *model.tensors[index]; }
  fb::GoldenT& golden() { return *model.goldens[0]; }
  /// Where a tensor's bytes are now.
  std::byte* data(const fb::TensorT& tensor) { return segments[tensor.segment].data() + tensor.offset; }
};

/// Builds a TinyModel piece by piece. Weights are small numbers drawn from their position: the same in every run.
class ModelBuilder {
 public:
  ModelBuilder(std::string kind, std::string head, fb::InputKind input_kind);

  /// @return the index of a new tensor in the weights segment, stacked if `experts` > 1
  int32_t tensor(const std::string& name, std::vector<uint64_t> shape, uint64_t experts = 1,
                 fb::Dtype dtype = fb::Dtype::f32);
  /// @return the index of a new value
  uint32_t value(std::vector<uint64_t> shape, const std::string& name = "");
  /// Appends a stage. @return its node or MoE layer, to be filled further
  fb::NodeT& node(fb::Op op, std::vector<uint32_t> inputs, uint32_t output);
  fb::MoET& moe(uint32_t input, uint32_t output, uint32_t experts);
  /// Appends a golden vector with made-up logits and routes: shaped as the model says, not computed.
  void golden(uint32_t batch, uint64_t routes, uint32_t experts);

  fb::ModelT& model() { return tiny_.model; }
  TinyModel take() { return std::move(tiny_); }

 private:
  std::unique_ptr<fb::TensorT> golden_tensor(const std::vector<uint64_t>& shape);
  TinyModel tiny_;
};

/// A value or node of an expert body, appended.
uint32_t body_value(fb::ExpertBankT& bank, std::vector<uint64_t> shape);
fb::NodeT& body_node(fb::ExpertBankT& bank, fb::Op op, std::vector<uint32_t> inputs, uint32_t output);

/// Pictures (3, 8, 8): conv2d, max_pool, conv2d with residual, average pool, then 2 of 3 experts, 2 classes. One golden
/// vector of batch 2. Stages 0 to 3 are nodes, 4 is the head.
TinyModel tiny_sparse();

/// Maps (4, 5, 4), which patches of 2 do not divide: one MoE layer of 3 convolutional experts, stage 0, its post-block,
/// average pool, linear, 2 classes. One golden vector of batch 1.
TinyModel tiny_patch();

/// Fills the segment table: offsets, sizes, checksums.
void seal(TinyModel& tiny);
/// The finished flatbuffer with the segment table as it stands.
std::vector<std::byte> flatbuffer(const TinyModel& tiny);
/// The file's bytes with the segment table as it stands.
FileBytes pack(const TinyModel& tiny);
/// seal() and pack().
FileBytes finish(TinyModel tiny);

/// Makes the checksums of header and flatbuffer right again after bytes were changed.
void repair_checksums(std::span<std::byte> file);

}  // namespace moefb::testing

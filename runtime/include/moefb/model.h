// A .moefb file, checked and made ready to run. Load one Model, share it between threads, run it with an Executor each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "moefb/export.h"
#include "moefb/image.h"
#include "moefb/result.h"
#include "moefb/tensor.h"

namespace moefb {

enum class Backend : uint8_t { kCpu };
enum class Kernels : uint8_t {
  kAuto,       ///< the fastest this build has for each layer
  kOnednn,     ///< oneDNN where it has the op, else reference. kUnsupported in a build without oneDNN
  kReference,  ///< the readable kernels alone: the same bits on every machine
};

struct LoadOptions {
  Backend backend = Backend::kCpu;
  Kernels kernels = Kernels::kAuto;
  int max_batch = 1;             ///< the largest n that an Executor of this model will run; >= 1
  bool verify_checksums = true;  ///< over every byte of the weights; header and graph are always checked
};

/// What a model takes.
enum class InputKind : uint8_t {
  kPicture,   ///< (3, H, W): normalised pictures; preprocessing() says how
  kFeatures,  ///< (D): the features a head-only model classifies
  kMap,       ///< (C, H, W): the feature map of a model without a stem
};

/// One known input with its answer, stored in the file. Spans live as long as the Model.
struct GoldenVector {
  int batch = 0;
  std::span<const float> input;   ///< (batch, input shape)
  std::span<const float> logits;  ///< (batch, classes)
  /// Chosen experts, MoE layer after MoE layer (soft ones choose nothing): (tokens, K); -1 where a token was dropped.
  std::span<const int32_t> routes;
  uint64_t seed = 0;          ///< that drew the input
  float top1_margin = 0;      ///< smallest lead of a chosen score over the best one not chosen
  float capacity_margin = 0;  ///< smallest lead of kept over dropped probabilities
  bool from_trainer = false;  ///< the trainer's own forward pass; else the reference kernels'
  CapacityGroup capacity_group = CapacityGroup::kBatch;  ///< under which it was computed
};

namespace detail {
struct ModelState;
}

/// Immutable and cheap to copy: copies share one state. Executors keep it alive.
class Model {
 public:
  /// Reads a file into memory of its own, checks all of it, packs the weights.
  /// @return kNotFound, kIo, kCorruptFile, kVersionMismatch, kUnsupported, kOutOfMemory, kInvalidArgument (options)
  MOEFB_EXPORT static Result<Model> load(const char* path, const LoadOptions& options = {}) noexcept;

  /// The same from memory, a model compiled in or in flash, say. Nothing is written to `bytes`; they must outlive the
  /// Model. Alignment to 64 bytes lets weights be used in place.
  MOEFB_EXPORT static Result<Model> load(std::span<const std::byte> bytes, const LoadOptions& options = {}) noexcept;

  MOEFB_EXPORT InputKind input_kind() const noexcept;
  /// Of one input, without the batch: (3, H, W), (D) or (C, H, W).
  MOEFB_EXPORT Shape input_shape() const noexcept;
  MOEFB_EXPORT int classes() const noexcept;
  /// "" where the file has no names, and for an index without a class; else a NUL follows its last character.
  MOEFB_EXPORT std::string_view class_name(int index) const noexcept;
  /// Null unless input_kind() is kPicture.
  MOEFB_EXPORT const Preprocessing* preprocessing() const noexcept;
  /// That the model was meant for; kBatch where it has no capacity.
  MOEFB_EXPORT CapacityGroup capacity_group() const noexcept;
  MOEFB_EXPORT const LoadOptions& options() const noexcept;

  MOEFB_EXPORT int golden_count() const noexcept;
  MOEFB_EXPORT GoldenVector golden(int index) const noexcept;

  /// The inside, for inspect.h and Executor.
  const detail::ModelState& state() const noexcept { return *state_; }
  std::shared_ptr<const detail::ModelState> share() const noexcept { return state_; }
  explicit Model(std::shared_ptr<const detail::ModelState> state) noexcept : state_(std::move(state)) {}

 private:
  std::shared_ptr<const detail::ModelState> state_;
};

}  // namespace moefb

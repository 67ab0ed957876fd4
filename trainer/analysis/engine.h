// Ways to answer the same pictures, to be timed side by side.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "moefb/executor.h"
#include "moefb/model.h"

namespace moefb::trainer {

/// What tells one row of the table from the others.
struct EngineName {
  std::string engine;    ///< "libtorch", "runtime"
  std::string dispatch;  ///< "index", "onehot"; "grouped", "naive", "all"; "-" where nothing is dispatched
  std::string kernels;   ///< "auto"; "-": LibTorch's own
  int threads = 1;
  std::string device = "cpu";  ///< "cuda": LibTorch's
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Makes everything ready but the answer; outside the clock.
  /// @param batch  (n, ...) one batch as the engine's network takes it, row-major; outlives run()
  virtual void load(const at::Tensor& batch) = 0;
  /// The forward pass alone: what is timed.
  virtual void run() = 0;
  /// (n, classes) of the last run.
  virtual at::Tensor logits() const = 0;
};

/// Anything that LibTorch computes.
/// @param forward        (n, ...) to (n, classes); called without gradients
/// @param channels_last  memory format of a batch of maps
/// @param device         where the network is: load() copies the batch to it, run() ends when it has finished
std::unique_ptr<Engine> make_torch_engine(std::function<at::Tensor(const at::Tensor&)> forward, bool channels_last,
                                          int threads, const at::Device& device = at::kCPU);

/// Our runtime. @throws std::runtime_error with what it says
std::unique_ptr<Engine> make_runtime_engine(const Model& model, Dispatch dispatch, int threads);

}  // namespace moefb::trainer

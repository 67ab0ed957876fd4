#include "trainer/analysis/engine.h"

#include <ATen/ATen.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <stdexcept>

namespace moefb::trainer {
namespace {

void require(const Status& status) {
  char text[256];
  if (!status.ok()) throw std::runtime_error(std::string("runtime: ") + status.describe(text, sizeof(text)));
}

// Threads that were given up are made anew by the next parallel step: not by the one that is timed.
void use_threads(int threads) {
  if (at::get_num_threads() == threads) return;
  at::set_num_threads(threads);
  at::parallel_for(0, threads, 1, [](int64_t, int64_t) {});
}

// What another device was given is done there while we go on.
void wait_for(const at::Device& device) {
  if (!device.is_cpu()) at::accelerator::synchronizeDevice(at::accelerator::getDeviceIndex());
}

class TorchEngine : public Engine {
 public:
  TorchEngine(std::function<at::Tensor(const at::Tensor&)> forward, bool channels_last, int threads,
              const at::Device& device)
      : forward_(std::move(forward)), channels_last_(channels_last), threads_(threads), device_(device) {}

  void load(const at::Tensor& batch) override {
    use_threads(threads_);
    batch_ = batch.dim() == 4 && channels_last_ ? batch.contiguous(at::MemoryFormat::ChannelsLast) : batch;
    batch_ = batch_.to(device_);
    wait_for(device_);
  }
  void run() override {
    const at::NoGradGuard no_grad;
    logits_ = forward_(batch_);
    wait_for(device_);
  }
  at::Tensor logits() const override { return logits_.cpu(); }

 private:
  std::function<at::Tensor(const at::Tensor&)> forward_;
  bool channels_last_;
  int threads_;
  at::Device device_;
  at::Tensor batch_, logits_;
};

class RuntimeEngine : public Engine {
 public:
  RuntimeEngine(const Model& model, Executor executor) : model_(model), executor_(std::move(executor)) {}

  void load(const at::Tensor& batch) override {
    batch_ = batch;
    logits_ = at::empty({batch.size(0), model_.classes()}, at::kFloat);
  }
  void run() override {
    require(executor_.run({batch_.const_data_ptr<float>(), size_t(batch_.numel())},
                          {logits_.mutable_data_ptr<float>(), size_t(logits_.numel())}));
  }
  at::Tensor logits() const override { return logits_; }

 private:
  Model model_;
  Executor executor_;
  at::Tensor batch_, logits_;
};

}  // namespace

std::unique_ptr<Engine> make_torch_engine(std::function<at::Tensor(const at::Tensor&)> forward, bool channels_last,
                                          int threads, const at::Device& device) {
  return std::make_unique<TorchEngine>(std::move(forward), channels_last, threads, device);
}

std::unique_ptr<Engine> make_runtime_engine(const Model& model, Dispatch dispatch, int threads) {
  ExecutorOptions options;
  options.threads = threads;
  options.dispatch = dispatch;
  Result<Executor> executor = Executor::create(model, options);
  require(executor.status());
  return std::make_unique<RuntimeEngine>(model, std::move(*executor));
}

}  // namespace moefb::trainer

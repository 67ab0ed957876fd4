// Gradient accumulation against the large batch that it stands for.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <array>
#include <map>

#include "converter/safetensors.h"
#include "converter/temporary_folder.h"
#include "trainer/train/tiny_run.h"
#include "trainer/train/training.h"

namespace moefb::trainer {
namespace {

using testing::TemporaryFolder;

/// Two layers on the pixels: nothing in it looks at other pictures of the batch.
class PixelNet : public torch::nn::Module, public Network {
 public:
  PixelNet() {
    at::manual_seed(7);
    hidden_ = register_module("hidden", torch::nn::Linear(3 * 16 * 16, 8));
    out_ = register_module("out", torch::nn::Linear(8, 12));
  }
  NetworkOutput run(const at::Tensor& images, Precision) override {
    NetworkOutput out;
    out.logits = out_->forward(at::relu(hidden_->forward(images.contiguous().flatten(1))));
    return out;
  }
  NetworkOutput rerun(const at::Tensor& images, const NetworkOutput&) override { return Network::run(images); }
  torch::nn::Module& module() override { return *this; }

 private:
  torch::nn::Linear hidden_{nullptr}, out_{nullptr};
};

class Accumulate : public ::testing::Test {
 protected:
  /// @return last weights, after two epochs of 90 pictures
  std::map<std::string, at::Tensor> trained(int64_t batch_size, int64_t accumulate, int64_t steps) {
    const std::string name = std::to_string(batch_size) + "x" + std::to_string(accumulate);
    const TinyRun run(folder_ / (name + ".toml"),
                      {"head=dense", "train.small_image=0", "train.batch_size=" + std::to_string(batch_size),
                       "train.accumulate=" + std::to_string(accumulate)});
    const RunFolder folder = RunFolder::create(folder_ / name);
    const auto network = std::make_shared<PixelNet>();
    Training training(run.config, run.dataset, folder, network);
    EXPECT_EQ(training.steps_per_epoch(), steps) << name;
    EXPECT_TRUE(training.run([] { return false; }));
    EXPECT_EQ(training.position().step, 2 * steps) << name;
    std::map<std::string, at::Tensor> weights;
    const safetensors::File last = safetensors::read(folder.last_weights());
    for (const auto& [key, tensor] : last.tensors) weights[key] = at::tensor(tensor.to_f32());
    return weights;
  }

  TemporaryFolder folder_;
};

TEST_F(Accumulate, SmallBatchesLearnWhatTheLargeOneTeaches) {
  // 90 pictures: the last batch of 16 has 10, the last of 32 has 26; seven batches of 14, the last with 6, are groups
  // of 42, 42 and 6.
  const std::vector<std::array<int64_t, 3>> pairs = {{32, 1, 3}, {16, 2, 3}, {42, 1, 3}, {14, 3, 3}};
  for (size_t pair = 0; pair < pairs.size(); pair += 2) {
    const auto [size, one, steps] = pairs[pair];
    const auto expected = trained(size, one, steps);
    const auto [small, accumulate, same] = pairs[pair + 1];
    const auto found = trained(small, accumulate, same);
    for (const auto& [key, weights] : expected) {
      // Six steps at a rate of 0.05 and below, each with the rounding of sums in another order.
      EXPECT_TRUE(at::allclose(weights, found.at(key), 1e-4, 1e-6)) << key << " of " << small << " x " << accumulate;
    }
  }
}

TEST_F(Accumulate, TheSmallBatchAloneLearnsSomethingElse) {
  EXPECT_FALSE(at::allclose(trained(32, 1, 3).at("hidden.weight"), trained(16, 1, 6).at("hidden.weight"), 1e-4, 1e-6));
}

}  // namespace
}  // namespace moefb::trainer

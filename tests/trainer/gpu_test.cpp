// The trainer on a GPU against the trainer on the CPU; skipped where there is none. fake_device/fake_runs.cpp has what
// can be tested without one, to the bit.
//
// Tolerances: in f32 without TF32 a sum of n products is off by up to sqrt(n) * 6e-8 of its size, 4e-6 for the longest
// sums of a ResNet-18 (n = 4608); twenty layers add up to 1e-4 at most. Training multiplies that from step to step:
// the runs here are short and at a low rate, and their first epoch's loss is compared to 1e-3. None of this was tried
// on a GPU yet.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <gtest/gtest.h>

#include "apps/process.h"
#include "converter/safetensors.h"
#include "converter/strict_json.h"
#include "trainer/analysis/commands.h"
#include "trainer/distributed/nccl.h"
#include "trainer/models/device.h"
#include "trainer/models/network_place.h"
#include "trainer/train/commands.h"
#include "trainer/train/route_margins.h"
#include "trainer/train/tiny_run.h"
#include "trainer/train/whole_runs.h"

#include <torch/csrc/distributed/c10d/HashStore.hpp>

namespace moefb::trainer {
namespace {

using testing::message_of;

constexpr double kForwardLimit = 1e-4;  // of the largest logit
constexpr double kLossLimit = 1e-3;     // of an epoch's loss
const std::vector<std::string> kGently = {"train.learning_rate=0.01", "train.epochs=2"};

at::Device gpu() {
  return device_of("this test", "cuda");
}

class Gpu : public WholeRuns {
 protected:
  void SetUp() override {
    if (const std::string why = message_of(gpu); !why.empty()) GTEST_SKIP() << why;
  }
  static std::vector<std::string> with(std::vector<std::string> sets, const std::vector<std::string>& more) {
    sets.insert(sets.end(), more.begin(), more.end());
    return sets;
  }
};

double first_loss(const RunFolder& run) {
  return lines_of(run).at(0).at("train_loss").get<double>();
}

/// Pictures whose routes no rounding can change, and what the network says of them.
std::pair<at::Tensor, NetworkOutput> clear_case(Network& network, int64_t side) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const at::Tensor images = at::randn({1, 3, side, side}, at::detail::createCPUGenerator(seed));
    NetworkOutput out = network.run(images);
    if (route_margins(out).hold()) return {images, std::move(out)};
  }
  throw std::runtime_error("no pictures with clear routes");
}

TEST_F(Gpu, AnswersAsTheCpuDoes) {
  const at::NoGradGuard no_grad;
  forbid_tf32();
  for (const nlohmann::json& keys : std::vector<nlohmann::json>{
           {{"kind", "cifar_e2e"}, {"head", "sparse"}, {"num_classes", 10}},
           {{"kind", "resnet18"}, {"num_classes", 10}, {"image", 64}},
           {{"kind", "patch_net"}, {"num_classes", 10}, {"image", 32}, {"base_channels", 16}, {"patch_size", 8}}}) {
    Settings settings(keys, "test");
    const NetworkConfig config = read_network_config(settings);
    at::manual_seed(3);
    const auto network = make_network(config);
    network->module().eval();
    const auto [images, expected] = clear_case(*network, image_side(config));
    move_network(network->module(), gpu());
    const at::Tensor found = network->run(images.to(gpu())).logits.to(at::kCPU);
    const double largest = expected.logits.abs().max().item<double>();
    EXPECT_LT((found - expected.logits).abs().max().item<double>(), kForwardLimit * largest) << keys;
  }
}

TEST_F(Gpu, TrainsAsTheCpuDoes) {
  int count = 0;
  for (const std::vector<std::string>& sets :
       std::vector<std::vector<std::string>>{{"head=dense"}, {"head=soft"}, {}, {"train.mix=true", "train.ema=0.9"}}) {
    const std::string name = std::to_string(count++);
    const double expected = first_loss(finished("cpu" + name, kTinyToml, with(kGently, sets)));
    EXPECT_NEAR(first_loss(finished("gpu" + name, kTinyToml, with(kGently, sets), gpu())), expected,
                kLossLimit * expected);
  }
}

TEST_F(Gpu, PatchNetworksTrainAsOnTheCpu) {
  const RunFolder here = finished("here", kTinyPatchToml), there = finished("there", kTinyPatchToml, {}, gpu());
  EXPECT_NEAR(first_loss(there), first_loss(here), kLossLimit * first_loss(here));
  const auto router = lines_of(there).at(1).at("router");
  EXPECT_EQ(router["layers"][0]["tokens"], lines_of(here).at(1).at("router")["layers"][0]["tokens"]);
}

TEST_F(Gpu, Bf16Trains) {
  const double f32 = first_loss(finished("f32", kTinyToml, kGently, gpu()));
  const double bf16 = first_loss(finished("bf16", kTinyToml, with(kGently, {"train.precision=bf16"}), gpu()));
  EXPECT_NE(bf16, f32);
  EXPECT_NEAR(bf16, f32, 0.05 * f32);  // bf16 has two to three digits
}

TEST_F(Gpu, DeterministicRunsRepeatAndResumeToTheSameBits) {
  const std::vector<std::string> sets = with(kGently, {"train.deterministic=true"});
  const RunFolder whole = finished("whole", kTinyToml, sets, gpu());
  const RunFolder stopped = start("stopped", kTinyToml, sets);
  EXPECT_FALSE(go_on(stopped, 4, gpu()));
  EXPECT_TRUE(go_on(stopped, 1000, gpu()));
  EXPECT_EQ(lines_of(whole), lines_of(stopped));
  EXPECT_EQ(read_file(whole.last_weights()), read_file(stopped.last_weights()));
}

TEST_F(Gpu, ACheckpointGoesOnWithoutAGpu) {
  const RunFolder run = start("run", kTinyToml, kGently);
  EXPECT_FALSE(go_on(run, 3, gpu()));
  EXPECT_TRUE(go_on(run, 1000, at::kCPU));
  const double expected = first_loss(finished("cpu", kTinyToml, kGently));
  EXPECT_NEAR(first_loss(run), expected, kLossLimit * expected);
}

TEST_F(Gpu, MetricsSayWhatTheDeviceHeld) {
  const RunFolder run = finished("run", kTinyToml, kGently, gpu());
  EXPECT_GT(read_metrics(run.metrics()).at(0).at("peak_device_mib").get<double>(), 0);
}

TEST_F(Gpu, CurvatureIsThatOfTheCpu) {
  AnalyzeCommand command;
  command.run = finished("run", kTinyToml, kGently).path();
  command.analyses = {"hessian"};
  command.pictures = 16;
  command.hessian.eigenvalues = 1;
  command.hessian.products = 20;
  command.hessian.density_vectors = 0;
  command.hessian.points = 2;
  const auto largest = [&](const char* device) {
    command.device = device;
    EXPECT_EQ(analyze(command), 0);
    return json_in(command.run + "/analysis/hessian.json")["subsets"]["train"]["eigenvalues"][0].get<double>();
  };
  const double expected = largest("cpu");
  EXPECT_NEAR(largest("cuda"), expected, kLossLimit * std::abs(expected));
}

TEST_F(Gpu, EfficiencyIsTimedAndTheAnswersAgree) {
  AnalyzeCommand command;
  command.run = finished("run", kTinyToml, kGently).path();
  command.analyses = {"efficiency"};
  command.pictures = 16;
  command.device = "cuda";
  EXPECT_EQ(analyze(command), 0);  // which fails where an answer is another
}

TEST_F(Gpu, NcclSums) {
  const auto nccl = make_nccl(c10::make_intrusive<c10d::HashStore>(), 0, 1, std::chrono::minutes(1));
  std::vector<at::Tensor> tensors = {at::full({3}, 2.0, gpu())};
  nccl->allreduce(tensors)->wait();
  EXPECT_TRUE(tensors[0].to(at::kCPU).equal(at::full({3}, 2.0)));
}

TEST_F(Gpu, AsManyProcessesAsGpusTrainAsOne) {
  const int gpus = at::detail::getCUDAHooks().getNumGPUs();
  if (gpus < 2) GTEST_SKIP() << "expected two GPUs or more, found " << gpus;
  const std::string toml = folder_ / "tiny.toml", run = folder_ / "run";
  write_file_atomically(toml, std::string_view(kTinyToml));
  std::vector<std::string> command = {
      MOEFB_TRAINER_PROGRAM, "launch", "-n", std::to_string(gpus), "train", toml, "--out", run, "--set",
      "train.device=cuda"};
  for (const std::string& set : kGently) command.insert(command.end(), {"--set", set});
  const testing::Outcome outcome = testing::run(command);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const double expected = first_loss(finished("one", kTinyToml, kGently, gpu()));
  EXPECT_NEAR(first_loss(RunFolder::of_another(run)), expected, kLossLimit * expected);
}

}  // namespace
}  // namespace moefb::trainer

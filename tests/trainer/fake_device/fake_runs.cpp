// Whole runs on the fake device: to the bit those on the CPU, wherever they are begun and gone on with. That finds what
// would fail on a GPU: a tensor left on the CPU, autocast of another device, memory read from the wrong side.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "converter/safetensors.h"
#include "trainer/analysis/hessian_operator.h"
#include "trainer/analysis/random_vectors.h"
#include "trainer/analysis/small_network.h"
#include "trainer/fake_device/fake_device.h"
#include "trainer/models/network_place.h"
#include "trainer/train/tiny_run.h"
#include "trainer/train/whole_runs.h"

namespace moefb::trainer {
namespace {

// LibTorch's thread for the backward passes of a device has the number that holds at the first of them, for good.
const bool one_thread = [] {
  at::set_num_threads(1);
  return true;
}();

struct Recipe {
  const char* name;
  const char* toml;
  std::vector<std::string> sets;
};

void PrintTo(const Recipe& recipe, std::ostream* out) {
  *out << recipe.name;
}

const Recipe kRecipes[] = {
    {"Dense", kTinyToml, {"head=dense"}},
    {"Soft", kTinyToml, {"head=soft"}},
    {"Sparse", kTinyToml, {}},
    {"SparseRepaired", kTinyToml, {"load_estimator=smooth", "mask_rule=index", "train.channels_last=false"}},
    {"Hard", kTinyToml, {"head=hard", "combine_weight=gate"}},
    {"MixedAveragedAccumulated", kTinyToml, {"train.mix=true", "train.ema=0.9", "train.accumulate=2"}},
    {"AdamWClipped",
     kTinyToml,
     {"train.optimizer=adamw", "train.clip_norm=0.5", "train.router_clip_norm=0.1", "train.learning_rate=0.01"}},
    {"Bf16", kTinyToml, {"train.precision=bf16"}},
    {"Patches", kTinyPatchToml, {"capacity_factor_train=0.75", "capacity_factor_val=1"}},
    {"PatchesOfTheBatch", kTinyPatchToml, {"capacity_group=batch", "capacity_factor_train=0.75"}},
    {"PatchesSecondChoice", kTinyPatchToml, {"drop_policy=second_choice", "capacity_factor_train=0.75"}},
    {"PatchesOneHot", kTinyPatchToml, {"train.dispatch=onehot", "capacity_factor_train=0.75"}},
    {"Resnet18", kTinyResnetToml, {}},
};

class FakeRun : public WholeRuns, public ::testing::WithParamInterface<Recipe> {
 protected:
  RunFolder on_cpu() { return finished("cpu", GetParam().toml, GetParam().sets); }
  /// @param steps  then it is stopped
  RunFolder begun(const std::string& name, int64_t steps, const at::Device& device) {
    const RunFolder folder = start(name, GetParam().toml, GetParam().sets);
    EXPECT_FALSE(go_on(folder, steps, device)) << "nothing is left to go on with";
    return folder;
  }
};

void expect_same(const RunFolder& expected, const RunFolder& found) {
  EXPECT_EQ(lines_of(expected), lines_of(found));
  EXPECT_EQ(read_file(expected.last_weights()), read_file(found.last_weights()));
  EXPECT_EQ(read_file(expected.kept_weights()), read_file(found.kept_weights()));
  EXPECT_EQ(read_file(expected.optimizer()), read_file(found.optimizer()));
  EXPECT_EQ(read_file(expected.golden()), read_file(found.golden()));
}

TEST_P(FakeRun, StoppedAndResumedThereIsTheRunOfTheCpu) {
  const int64_t before = fake::operators_run();
  const RunFolder run = begun("there", 2, fake::device());  // in the middle of an epoch
  EXPECT_TRUE(one_thread);
  EXPECT_GT(fake::operators_run(), before + 1000) << "the network was elsewhere";
  EXPECT_TRUE(go_on(run, 1000, fake::device()));
  expect_same(on_cpu(), run);
}

TEST_P(FakeRun, GoesOnWhereItWasNotBegun) {
  const RunFolder from_there = begun("from_there", 3, fake::device());
  EXPECT_TRUE(go_on(from_there, 1000, at::kCPU));
  const RunFolder from_here = begun("from_here", 3, at::kCPU);
  EXPECT_TRUE(go_on(from_here, 1000, fake::device()));
  const RunFolder expected = on_cpu();
  expect_same(expected, from_there);
  expect_same(expected, from_here);
}

INSTANTIATE_TEST_SUITE_P(Recipes, FakeRun, ::testing::ValuesIn(kRecipes),
                         [](const auto& info) { return std::string(info.param.name); });

/// One product with the Hessian of a small network, which is on `device`.
at::Tensor hessian_product(const nlohmann::json& keys, RouteMode mode, const at::Device& device) {
  const std::shared_ptr<Network> network = small_network(keys);
  const NetworkPlace place(network->module(), at::kDouble, device);
  const ParameterVector vector(network->module(), {});
  PictureSample sample = noise_pictures(keys["image"].get<int64_t>(), {5, 4}, 3);
  for (auto& batch : sample) batch = {batch.images.to(device), batch.labels.to(device)};
  const SampleLoss loss(*network, sample, mode);
  const at::Tensor v = normal_vector(vector.size(), 1, VectorUse::kDirection, 1, vector.options());
  return hessian_operator(loss, vector).apply(v).to(at::kCPU);
}

TEST(FakeHessian, IsThatOfTheCpu) {
  for (const RouteMode mode : {RouteMode::kFree, RouteMode::kFrozen}) {
    for (const nlohmann::json& keys : {head_keys("soft"), head_keys("sparse"), patch_keys()}) {
      const at::Tensor expected = hessian_product(keys, mode, at::kCPU);
      const at::Tensor found = hessian_product(keys, mode, fake::device());
      // Second derivatives are put together from other operators there.
      EXPECT_LT((found - expected).abs().max().item<double>(), 1e-12 * expected.abs().max().item<double>());
    }
  }
}

}  // namespace
}  // namespace moefb::trainer

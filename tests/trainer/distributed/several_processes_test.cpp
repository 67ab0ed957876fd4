// Training in several processes is training in one: weights, metrics and checkpoints. Everything runs in double in
// real processes (worker.cpp), so that the order of additions is all that may differ: some 1e-16 a sum. Each step
// multiplies what is there: by 1e5 in all where BatchNorm sees a few values only, as the last batch of these runs makes
// it (1e-11 was seen); in f32 that would hide mistakes.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/atomic_file.h"
#include "converter/safetensors.h"
#include "converter/temporary_folder.h"
#include "trainer/distributed/launch.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/metrics_log.h"

namespace moefb::trainer {
namespace {

using testing::TemporaryFolder;

constexpr double kLimit = 1e-9;  // of the largest weight of a tensor, of a metric

// 33 pictures: in both networks' runs the last batch is a single picture, so that all processes but one have none.
constexpr const char* kHead = R"(
image = 16
width0 = 2
num_experts = 4
hidden_mult = 0.5
HEAD
[train]
epochs = 2
batch_size = 8
learning_rate = 0.01
nesterov = true
label_smoothing = 0.1
flip = true
small_image = 12
small_image_epochs = 1
precision = "f32"
threads = 1
TRAIN
[data]
train_size = 33
val_size = 22
test_size = 12
)";

constexpr const char* kPatch = R"(
kind = "patch_net"
image = 32
base_channels = 4
num_experts = 4
patch_size = 8
resize_to = 32
capacity_factor_train = 0.75
capacity_factor_val = 1.0
HEAD
[train]
epochs = 3
batch_size = 8
warmup_epochs = 1
uniform_epochs = 1
router_warmup_epochs = 1
temperature_epochs = 1
noise = 0.5
threads = 1
TRAIN
[data]
train_size = 33
val_size = 20
test_size = 12
)";

std::string filled(std::string text, const std::string& head, const std::string& train) {
  text.replace(text.find("HEAD"), 4, head);
  return text.replace(text.find("TRAIN"), 5, train);
}

struct TrainedRun {
  std::string folder;

  safetensors::File weights() const { return safetensors::read(folder + "/last.safetensors"); }
  safetensors::File optimizer() const { return safetensors::read(folder + "/optimizer.safetensors"); }
  std::vector<nlohmann::ordered_json> lines() const { return read_metrics(folder + "/metrics.jsonl"); }
};

class SeveralProcesses : public ::testing::Test {
 protected:
  TrainedRun train(const std::string& config, int64_t processes) {
    const TrainedRun run = {folder_ / ("run" + std::to_string(count_++))};
    EXPECT_EQ(go_on(run, config, processes), 0);
    return run;
  }
  int go_on(const TrainedRun& run, const std::string& config, int64_t processes, const std::string& steps = "1000000") {
    const std::string file = folder_ / "config.toml";
    write_file_atomically(file, std::string_view(config));
    return launch({MOEFB_DISTRIBUTED_WORKER, file, run.folder, steps}, processes);
  }

  TemporaryFolder folder_;
  int count_ = 0;
};

void expect_close(const safetensors::File& expected, const safetensors::File& found) {
  ASSERT_EQ(expected.tensors.size(), found.tensors.size());
  for (const auto& [name, tensor] : expected.tensors) {
    ASSERT_TRUE(found.tensors.contains(name)) << name;
    const at::Tensor a = to_torch(tensor).to(at::kDouble), b = to_torch(found.tensors.at(name)).to(at::kDouble);
    ASSERT_EQ(a.sizes(), b.sizes()) << name;
    if (a.numel() == 0) continue;
    const double largest = std::max(1.0, a.abs().max().item<double>());
    EXPECT_LT((a - b).abs().max().item<double>() / largest, kLimit) << name;
  }
}

/// Numbers, lists and objects of a line of metrics.jsonl.
void expect_close(const nlohmann::ordered_json& expected, const nlohmann::ordered_json& found, const std::string& key) {
  ASSERT_EQ(expected.type(), found.type()) << key;
  if (expected.is_structured()) {
    ASSERT_EQ(expected.size(), found.size()) << key;
    for (const auto& [name, value] : expected.items()) {
      const bool of_machine = std::find(kMachineKeys.begin(), kMachineKeys.end(), name) != kMachineKeys.end();
      if (of_machine) continue;
      expect_close(value, expected.is_object() ? found[name] : found[std::stoul(name)], key + "/" + name);
    }
  } else if (expected.is_number_float()) {
    const double limit = kLimit * std::max(1.0, std::fabs(expected.get<double>()));
    EXPECT_NEAR(expected.get<double>(), found.get<double>(), limit) << key;
  } else {
    EXPECT_EQ(expected, found) << key;
  }
}

void expect_same_run(const TrainedRun& expected, const TrainedRun& found) {
  expect_close(expected.weights(), found.weights());
  expect_close(expected.optimizer(), found.optimizer());
  const auto a = expected.lines(), b = found.lines();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) expect_close(a[i], b[i], "line " + std::to_string(i));
}

double dropped(const nlohmann::ordered_json& line) {
  double sum = 0;
  for (const auto& layer : line["router"]["layers"]) sum += layer["dropped"].get<double>();
  return sum;
}

TEST_F(SeveralProcesses, SparseHeadTrainsAsInOne) {
  const std::string config = filled(kHead, "load_estimator = \"smooth\"", "");
  const TrainedRun one = train(config, 1);
  EXPECT_EQ(one.lines().size(), 3u);
  expect_same_run(one, train(config, 2));
  expect_same_run(one, train(config, 3));
}

TEST_F(SeveralProcesses, SoftAndDenseHeadsTrainAsInOne) {
  for (const char* head : {"head = \"soft\"", "head = \"dense\""}) {
    const std::string config = filled(kHead, head, "mix = true\naccumulate = 2");
    expect_same_run(train(config, 1), train(config, 2));
  }
}

TEST_F(SeveralProcesses, HardHeadTrainsAsInOneWithAveragedWeights) {
  const std::string config =
      filled(kHead, "head = \"hard\"\nk = 1\ncombine_weight = \"gate\"", "ema = 0.9\nkeep_every = 1");
  const TrainedRun one = train(config, 1), two = train(config, 2);
  expect_same_run(one, two);
  const std::string first = "/weights-epoch-0001.safetensors";
  expect_close(safetensors::read(one.folder + first), safetensors::read(two.folder + first));
}

TEST_F(SeveralProcesses, StopEarlyTogether) {
  std::string config = filled(kHead, "", "patience = 1\nmin_delta = 1\ndeterministic = true");
  config.replace(config.find("epochs = 2"), 10, "epochs = 4");
  const TrainedRun one = train(config, 1), two = train(config, 2);
  EXPECT_EQ(one.lines().size(), 3u);  // two epochs and the test
  expect_same_run(one, two);
}

TEST_F(SeveralProcesses, PatchNetworkWhoseTokensCompeteTrainsAsInOne) {
  const std::string config = filled(kPatch, "capacity_group = \"batch\"", "");
  const TrainedRun one = train(config, 1), two = train(config, 2);
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_GT(dropped(one.lines()[size_t(epoch)]), 0)
        << "epoch " << epoch << ": nothing was dropped, so nobody competed";
  }
  expect_same_run(one, two);
}

TEST_F(SeveralProcesses, PatchNetworksWithOtherSlotRulesTrainAsInOne) {
  for (const char* rule :
       {"capacity_group = \"image\"", "capacity_group = \"none\"", "drop_policy = \"second_choice\""}) {
    const std::string config = filled(kPatch, rule, "dispatch = \"onehot\"");
    SCOPED_TRACE(rule);
    expect_same_run(train(config, 1), train(config, 2));
  }
}

TEST_F(SeveralProcesses, CheckpointGoesOnWithAnotherNumberOfProcesses) {
  const std::string config = filled(kHead, "", "");
  const TrainedRun whole = train(config, 1);
  const TrainedRun run = {folder_ / "stopped"};
  EXPECT_EQ(go_on(run, config, 2, "3"), 130);
  EXPECT_EQ(go_on(run, config, 1, "4"), 130);
  EXPECT_EQ(go_on(run, config, 3), 0);
  expect_same_run(whole, run);
}

}  // namespace
}  // namespace moefb::trainer

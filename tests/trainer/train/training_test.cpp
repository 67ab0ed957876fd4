// Whole runs, small: what they leave, and that stopping and going on changes nothing.
#include "trainer/train/training.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "converter/safetensors.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/tiny_run.h"
#include "trainer/train/whole_runs.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

bool never() {
  return false;
}

class TrainingRun : public WholeRuns {
 protected:
  RunFolder make_folder(const std::string& name, const TinyRun& run) {
    const RunFolder folder = RunFolder::create(folder_ / name);
    write_file_atomically(folder.config(), to_json(run.config));
    return folder;
  }
  RunFolder finished_run(const std::string& name, const std::vector<std::string>& sets = {}) {
    const TinyRun run(folder_ / "tiny.toml", sets);
    const RunFolder folder = make_folder(name, run);
    EXPECT_TRUE(Training(run.config, run.dataset, folder).run(never));
    return folder;
  }
};

void expect_same_results(const RunFolder& a, const RunFolder& b) {
  EXPECT_EQ(read_file(a.last_weights()), read_file(b.last_weights()));
  EXPECT_EQ(read_file(a.kept_weights()), read_file(b.kept_weights()));
  EXPECT_EQ(read_file(a.optimizer()), read_file(b.optimizer()));
  EXPECT_EQ(read_file(a.golden()), read_file(b.golden()));
  EXPECT_EQ(lines_of(a), lines_of(b));
}

TEST_F(TrainingRun, StoppedAnywhereAndResumedGivesTheSameBytes) {
  const RunFolder whole = finished_run("whole");
  // 1: in the middle of an epoch; 5: before its short last batch; 6: before its validation.
  for (const int64_t batches : {int64_t{1}, int64_t{5}, kTinyBatches}) {
    const TinyRun run(folder_ / "tiny.toml");
    const RunFolder folder = make_folder("stopped" + std::to_string(batches), run);
    while (!go_on(folder, batches)) {
    }
    expect_same_results(whole, folder);
  }
}

TEST_F(TrainingRun, StopsOnlyBetweenTheStepsOfAccumulatedBatches) {
  const std::vector<std::string> sets = {"train.accumulate=4"};
  const RunFolder whole = finished_run("whole", sets);
  const TinyRun run(folder_ / "tiny.toml", sets);
  const RunFolder stopped = make_folder("stopped", run);
  int stops = 0;
  while (!go_on(stopped, 1)) ++stops;
  EXPECT_EQ(stops, 4) << "two steps an epoch, of four batches and of two";
  expect_same_results(whole, stopped);
}

TEST_F(TrainingRun, ResumingAFinishedRunChangesNothing) {
  const RunFolder whole = finished_run("whole");
  const RunFolder again = finished_run("again");
  EXPECT_TRUE(go_on(again, 0));
  expect_same_results(whole, again);
}

TEST_F(TrainingRun, DeterministicRunsHaveTheSameBitsWhateverTheWorkers) {
  const std::vector<std::string> sets = {"train.deterministic=true", "train.threads=2", "train.epochs=1"};
  const RunFolder first = finished_run("first", sets);
  for (const char* workers : {"0", "1", "3"}) {
    std::vector<std::string> with_workers = sets;
    with_workers.push_back(std::string("train.workers=") + workers);
    expect_same_results(first, finished_run(std::string("workers") + workers, with_workers));
  }
  EXPECT_TRUE(nlohmann::json::parse(std::ifstream(first.config()))["train"]["deterministic"].get<bool>());
}

TEST_F(TrainingRun, DeterministicRefusesOperationsThatAreNot) {
  // put_() writes repeated indices in whatever order its threads come by, and has no other algorithm.
  const auto put = [] { at::zeros({2}).put_(at::zeros({2}, at::kLong), at::ones({2})); };
  finished_run("deterministic", {"train.deterministic=true", "train.epochs=1"});
  EXPECT_TRUE(contains(message_of(put), "put_ does not have a deterministic implementation"));
  finished_run("other", {"train.epochs=1"});
  EXPECT_EQ(message_of(put), "") << "the run after it did not ask for that";
}

TEST_F(TrainingRun, AnotherSeedGivesOtherWeights) {
  EXPECT_NE(read_file(finished_run("a").last_weights()),
            read_file(finished_run("b", {"train.seed=43"}).last_weights()));
}

std::set<std::string> keys_of(const nlohmann::json& line) {
  std::set<std::string> keys;
  for (const auto& item : line.items()) keys.insert(item.key());
  return keys;
}

TEST_F(TrainingRun, MetricsHaveThePublishedNames) {
  const auto lines = lines_of(finished_run("run"));
  ASSERT_EQ(lines.size(), 3u);  // two epochs and the test
  EXPECT_EQ(keys_of(lines[1]),
            (std::set<std::string>{"epoch", "train_loss", "train_acc", "val_loss", "val_acc", "util", "entropy", "load",
                                   "val_util", "val_entropy", "val_load", "learning_rate"}));
  EXPECT_EQ(lines[1]["epoch"], 2);
  EXPECT_EQ(keys_of(lines[2]),
            (std::set<std::string>{"test_loss", "test_acc", "tested_epoch", "util_test_snapshot",
                                   "entropy_test_snapshot", "load_test_snapshot", "class_expert_mean"}));
  EXPECT_EQ(lines[2]["class_expert_mean"].size(), 12u);
}

TEST_F(TrainingRun, RoutingStatisticsAreSharesOfThePictures) {
  const auto lines = lines_of(finished_run("run"));
  const auto sum = [](const nlohmann::json& values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  };
  EXPECT_NEAR(sum(lines[1]["util"]), 1, 1e-6);
  EXPECT_NEAR(sum(lines[1]["val_util"]), 1, 1e-6);
  EXPECT_NEAR(sum(lines[1]["val_load"]), 2, 1e-9);  // k: nothing ties in evaluation
  EXPECT_GE(sum(lines[1]["load"]), 2.0 - 1e-9);     // more where dropout makes scores tie
  EXPECT_NEAR(sum(lines[2]["load_test_snapshot"]), 2, 1e-9);
}

TEST_F(TrainingRun, OnlyHeadsWithExpertsHaveRoutingStatistics) {
  const auto dense = lines_of(finished_run("dense", {"head=dense", "train.epochs=1"}));
  EXPECT_FALSE(dense[0].contains("util"));
  EXPECT_FALSE(dense[1].contains("class_expert_mean"));
  const auto soft = lines_of(finished_run("soft", {"head=soft", "train.epochs=1"}));
  EXPECT_TRUE(soft[0].contains("entropy"));
  EXPECT_FALSE(soft[0].contains("load")) << "every expert runs on every picture";
}

TEST_F(TrainingRun, KeepsTheBestWeightsOrTheLast) {
  // The rate leaps in the last epoch, so that its weights are not the best ones.
  const std::vector<std::string> sets = {"train.epochs=3", "train.schedule=step", "train.milestones=[]",
                                         "train.learning_rate=2", "train.warmup_epochs=3"};
  const auto kept_epoch = [&](const std::string& choice) {
    std::vector<std::string> with_choice = sets;
    with_choice.push_back("train.keep=" + choice);
    const RunFolder folder = finished_run(choice, with_choice);
    const auto lines = lines_of(folder);
    int64_t best = 1;
    for (int64_t epoch = 2; epoch <= 3; ++epoch) {
      if (lines[size_t(epoch - 1)]["val_acc"] > lines[size_t(best - 1)]["val_acc"]) best = epoch;
    }
    const int64_t expected = choice == "best" ? best : 3;
    EXPECT_EQ(lines[3]["tested_epoch"], expected);
    const auto kept = safetensors::read(folder.kept_weights()).tensors;
    const auto last = safetensors::read(folder.last_weights()).tensors;
    const std::string stem = "backbone.backbone.conv1.weight";
    EXPECT_EQ(kept.at(stem).data == last.at(stem).data, expected == 3) << choice;
    return expected;
  };
  EXPECT_LT(kept_epoch("best"), 3) << "the settings of this test no longer tell the choices apart";
  EXPECT_EQ(kept_epoch("last"), 3);
}

TEST_F(TrainingRun, EndsEarlyWhenItsPatienceIsOver) {
  // No rise is more than 1, so that the first epoch stays the best.
  const std::vector<std::string> sets = {"train.epochs=9", "train.patience=2", "train.min_delta=1",
                                         "train.keep_every=2"};
  const RunFolder folder = finished_run("run", sets);
  const auto lines = lines_of(folder);
  ASSERT_EQ(lines.size(), 4u) << "an epoch, two of patience, and the test";
  EXPECT_TRUE(lines[3].contains("test_acc"));
  EXPECT_TRUE(std::filesystem::exists(folder.epoch_weights(3))) << "the last epoch's weights";

  const TinyRun run(folder_ / "tiny.toml", sets);
  const RunFolder stopped = make_folder("stopped", run);
  while (!go_on(stopped, 4)) {
  }
  expect_same_results(folder, stopped);
}

TEST_F(TrainingRun, GoingOnWithACompleteRunOnlySaysSo) {
  const RunFolder folder = finished_run("run", {"train.epochs=9", "train.patience=1", "train.min_delta=1"});
  const auto before = read_file(folder.metrics());
  std::filesystem::remove(folder.golden());
  ::testing::internal::CaptureStdout();
  EXPECT_TRUE(go_on(folder, 0));
  const std::string said = ::testing::internal::GetCapturedStdout();
  EXPECT_TRUE(contains(said, "stopped early after epoch 2: the validation accuracy was not better for 1 epoch\n"));
  EXPECT_TRUE(contains(said, "the run is complete"));
  EXPECT_EQ(read_file(folder.metrics()), before);
  EXPECT_FALSE(std::filesystem::exists(folder.golden())) << "it was tested again";
}

std::set<std::string> epoch_files(const RunFolder& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("weights-epoch-")) names.insert(name);
  }
  return names;
}

TEST_F(TrainingRun, LeavesTheWeightsOfEveryNthEpochAndOfTheLast) {
  const std::vector<std::string> sets = {"train.epochs=5", "train.keep_every=2", "train.keep=last"};
  const RunFolder whole = finished_run("whole", sets);
  const std::set<std::string> expected = {"weights-epoch-0002.safetensors", "weights-epoch-0004.safetensors",
                                          "weights-epoch-0005.safetensors"};
  EXPECT_EQ(epoch_files(whole), expected);
  EXPECT_EQ(safetensors::read(whole.epoch_weights(4)).metadata.at("epoch"), "4");
  const auto last = safetensors::read(whole.kept_weights()).tensors;
  for (const auto& [name, tensor] : safetensors::read(whole.epoch_weights(5)).tensors) {
    EXPECT_EQ(tensor.data, last.at(name).data) << name;
  }

  const TinyRun run(folder_ / "tiny.toml", sets);
  const RunFolder stopped = make_folder("stopped", run);
  while (!go_on(stopped, 7)) {
  }
  EXPECT_EQ(epoch_files(stopped), expected);
  for (const int64_t epoch : {2, 4, 5}) {
    EXPECT_EQ(read_file(stopped.epoch_weights(epoch)), read_file(whole.epoch_weights(epoch))) << epoch;
  }
  EXPECT_TRUE(epoch_files(finished_run("none", {"train.epochs=2"})).empty()) << "nobody asked for them";
}

TEST_F(TrainingRun, AveragedWeightsAreValidatedAndKeptAndSurviveAStop) {
  const std::vector<std::string> sets = {"train.ema=0.9", "train.keep=last", "train.keep_every=1"};
  const RunFolder whole = finished_run("whole", sets);
  const auto kept = safetensors::read(whole.kept_weights()).tensors;
  const auto epoch = safetensors::read(whole.epoch_weights(2)).tensors;
  const auto saved = safetensors::read(whole.optimizer()).tensors;
  for (const auto& [name, tensor] : kept) {
    EXPECT_EQ(tensor.data, saved.at("ema." + name).data) << name;
    EXPECT_EQ(tensor.data, epoch.at(name).data) << name;
  }
  const std::string stem = "backbone.backbone.conv1.weight";
  EXPECT_NE(kept.at(stem).data, safetensors::read(whole.last_weights()).tensors.at(stem).data);

  RunConfig config = load_run_config(whole.config());
  CifarNet net(std::get<ModelConfig>(config.model));
  load_state_dict(net, safetensors::read(whole.kept_weights()), whole.kept_weights());
  const Dataset dataset = load_dataset(config.data);
  const auto validation = evaluate(net, dataset, dataset.val, {16, true, 0});
  EXPECT_NEAR(validation->loss, lines_of(whole)[1]["val_loss"].get<double>(), 1e-5);

  for (const int64_t batches : {int64_t{4}, kTinyBatches}) {
    const TinyRun run(folder_ / "tiny.toml", sets);
    const RunFolder stopped = make_folder("stopped" + std::to_string(batches), run);
    while (!go_on(stopped, batches)) {
    }
    expect_same_results(whole, stopped);
  }
}

TEST_F(TrainingRun, EveryHeadTrainsAndLeavesTheFilesOfARun) {
  for (const std::string head : {"dense", "soft", "sparse", "hard"}) {
    const RunFolder folder = finished_run(head, {"head=" + head, head == "hard" ? "k=1" : "k=2", "train.epochs=1"});
    for (const auto& file : {folder.kept_weights(), folder.last_weights(), folder.optimizer(), folder.golden(),
                             folder.metrics(), folder.config()}) {
      EXPECT_TRUE(std::filesystem::exists(file)) << file;
    }
    const bool chooses = head == "sparse" || head == "hard";
    EXPECT_EQ(safetensors::read(folder.golden()).tensors.contains("topk_idx"), chooses) << head;
  }
}

TEST_F(TrainingRun, GoldenVectorIsTheBestWeightsAnswer) {
  const RunFolder folder = finished_run("run");
  const safetensors::File golden = safetensors::read(folder.golden());
  EXPECT_GE(std::stod(golden.metadata.at("top1_margin")), 2e-3);
  EXPECT_TRUE(golden.metadata.contains("seed"));

  const at::NoGradGuard no_grad;
  CifarNet net(std::get<ModelConfig>(load_run_config(folder.config()).model));
  load_state_dict(net, safetensors::read(folder.kept_weights()), folder.kept_weights());
  net.eval();
  const at::Tensor input = to_torch(golden.tensors.at("input"));
  EXPECT_EQ(input.sizes(), (at::IntArrayRef{4, 3, 16, 16}));
  const HeadOutput out = net.forward(input).head;
  EXPECT_TRUE(out.logits.allclose(to_torch(golden.tensors.at("logits")), 1e-5, 1e-5));
  EXPECT_TRUE(out.topk_idx.equal(to_torch(golden.tensors.at("topk_idx"))));
}

TEST_F(TrainingRun, ALossThatIsNoNumberEndsTheRun) {
  const TinyRun run(folder_ / "tiny.toml", {"train.learning_rate=1000", "train.schedule=step", "train.epochs=50"});
  Training training(run.config, run.dataset, make_folder("run", run));
  EXPECT_TRUE(contains(message_of([&] { training.run(never); }), "try a lower train.learning_rate"));
}

TEST_F(TrainingRun, AFolderHoldsOneRun) {
  const RunFolder folder = finished_run("run", {"train.epochs=1"});
  const std::string message = message_of([&] { RunFolder::create(folder.path()); });
  EXPECT_TRUE(contains(message, "already holds a run (config.json)"));
  EXPECT_TRUE(contains(message, "trainer resume"));
  EXPECT_TRUE(contains(message_of([&] { RunFolder::open(folder_ / "absent"); }), "is not a run folder"));
}

TEST_F(TrainingRun, Bf16AutocastTrains) {
  const RunFolder folder = finished_run("run", {"train.precision=bf16", "train.epochs=1"});
  EXPECT_GT(lines_of(folder)[0]["train_loss"].get<double>(), 0);
  EXPECT_NE(read_file(folder.last_weights()), read_file(finished_run("f32", {"train.epochs=1"}).last_weights()));
}

}  // namespace
}  // namespace moefb::trainer

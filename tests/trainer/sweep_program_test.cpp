// `trainer sweep` as a user runs it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/background.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::Outcome;
using testing::TemporaryFolder;
using Strings = std::vector<std::string>;

class SweepProgram : public ::testing::Test {
 protected:
  SweepProgram() { write_file_atomically(config_, std::string_view(kTinyToml)); }

  Strings command(const std::string& name, const Strings& grid, const Strings& more = {}) const {
    Strings words = {MOEFB_TRAINER_PROGRAM, "sweep", config_, "--out", folder_ / name};
    for (const std::string& axis : grid) words.insert(words.end(), {"--grid", axis});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::string text_of(const std::string& file) const {
    std::ifstream stream(folder_ / file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  /// Status of each run by its name.
  std::map<std::string, std::string> statuses(const std::string& name) const {
    std::map<std::string, std::string> statuses;
    const auto json = nlohmann::json::parse(text_of(name + "/sweep.json"));
    for (const auto& run : json["runs"]) statuses[run["run"].get<std::string>()] = run["status"].get<std::string>();
    return statuses;
  }

  TemporaryFolder folder_;
  std::string config_ = folder_ / "tiny.toml";
};

using Statuses = std::map<std::string, std::string>;

TEST_F(SweepProgram, TrainsEveryCombinationAndGoesOnWithMore) {
  const Strings one_epoch = {"--set", "train.epochs=1"};
  const Outcome first = testing::run(command("s", {"k=1,2", "train.seed=1"}, one_epoch));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_TRUE(contains(first.out, "k  train.seed  val acc %  test acc %  epochs  seconds  status\n"));
  EXPECT_EQ(statuses("s"), (Statuses{{"k=1,seed=1", "finished"}, {"k=2,seed=1", "finished"}}));
  const auto json = nlohmann::json::parse(text_of("s/sweep.json"));
  EXPECT_GE(json["runs"][0]["best_val_acc"].get<double>(), json["runs"][1]["best_val_acc"].get<double>());
  EXPECT_EQ(load_run_config(folder_ / "s/k=1,seed=1/config.json").train.seed, 1u);
  EXPECT_EQ(std::get<ModelConfig>(load_run_config(folder_ / "s/k=1,seed=1/config.json").model).k, 1);

  const std::string before = text_of("s/k=1,seed=1/metrics.jsonl");
  const Outcome more = testing::run(command("s", {"k=1,2", "train.seed=1,2"}, one_epoch));
  ASSERT_EQ(more.exit_code, 0) << more.err;
  EXPECT_TRUE(contains(more.out, "4 runs, 2 of them finished before"));
  EXPECT_EQ(statuses("s").size(), 4u);
  EXPECT_EQ(text_of("s/k=1,seed=1/metrics.jsonl"), before) << "it was trained again";

  const Outcome other = testing::run(command("s", {"k=1,2", "train.seed=1"}, {"--set", "train.epochs=2"}));
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_TRUE(contains(other.err, "holds a sweep of another configuration (/train/epochs was 1 and is 2)"));
}

TEST_F(SweepProgram, ARunThatFailsDoesNotKeepTheOthersFromRunning) {
  const Strings sets = {"--set",  "train.schedule=step",
                        "--set",  "train.epochs=30",
                        "--set",  "train.warmup_epochs=0",
                        "--set",  "data.train_size=32",
                        "--jobs", "2"};
  const Outcome outcome = testing::run(command("s", {"train.learning_rate=1000,0.01"}, sets));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "1 of 2 runs failed"));
  EXPECT_EQ(statuses("s"), (Statuses{{"learning_rate=0.01", "finished"}, {"learning_rate=1000", "failed"}}));
  const std::string why = "trainer: the loss became";  // moefb-trainer, under its installed name
  EXPECT_TRUE(contains(outcome.out, "learning_rate=1000: failed: ") && contains(outcome.out, why)) << outcome.out;
  EXPECT_TRUE(contains(text_of("s/sweep.csv"), why));
  EXPECT_TRUE(contains(text_of("s/learning_rate=0.01.log"), "test loss"));
}

TEST_F(SweepProgram, InterruptedItGoesOnToTheSameResults) {
  const Strings grid = {"train.seed=1,2"};
  const Strings longer = {"--set", "train.epochs=4", "--set", "data.train_size=400"};
  ASSERT_EQ(testing::run(command("whole", grid, longer)).exit_code, 0);
  testing::Background program(command("s", grid, longer));
  ASSERT_TRUE(program.runs_until([&] { return fs::exists(folder_ / "s/seed=1/metrics.jsonl"); }));
  program.send(SIGINT);
  EXPECT_EQ(program.exit_code(), 130);
  EXPECT_EQ(statuses("s"), (Statuses{{"seed=1", "open"}, {"seed=2", "open"}}));
  EXPECT_FALSE(fs::exists(folder_ / "s/seed=2")) << "a run began after the sweep was stopped";

  const Outcome rest = testing::run(command("s", grid, longer));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  for (const char* run : {"/seed=1", "/seed=2"}) {
    for (const char* file : {"/model.safetensors", "/optimizer.safetensors"}) {
      EXPECT_TRUE(text_of("s" + std::string(run) + file) == text_of("whole" + std::string(run) + file)) << run << file;
    }
  }
}

TEST_F(SweepProgram, AMistakeInAnyCombinationIsFoundBeforeTheFirstRun) {
  const auto refusal = [this](const Strings& grid) {
    const Outcome outcome = testing::run(command("s", grid));
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_FALSE(fs::exists(folder_ / "s"));
    return outcome.err;
  };
  EXPECT_TRUE(contains(refusal({"train.epochs=1,0"}), "train.epochs: expected a whole number from 1"));
  EXPECT_TRUE(contains(refusal({"train.epoch=1"}), "train.epoch: unknown key"));
  EXPECT_TRUE(contains(refusal({"train.epochs"}), "--grid train.epochs: expected key=value,value"));
  EXPECT_TRUE(contains(refusal({}), "--grid is required"));
}

}  // namespace
}  // namespace moefb::trainer

// The program `trainer` as a user runs it: Ctrl-C, resume, eval and what they print.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/convert.h"
#include "converter/temporary_folder.h"
#include "moefb/image.h"
#include "trainer/background.h"
#include "trainer/data/dataset.h"
#include "trainer/models/device.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::Outcome;
using testing::TemporaryFolder;

constexpr auto kIntoTheEpoch = std::chrono::milliseconds(100);  // an epoch of the interrupted run takes about 500

class TrainerProgram : public ::testing::Test {
 protected:
  TrainerProgram() { write_file_atomically(config_, std::string_view(kTinyToml)); }

  std::vector<std::string> train_command(const std::string& run, const std::vector<std::string>& sets) const {
    std::vector<std::string> command = {MOEFB_TRAINER_PROGRAM, "train", config_, "--out", run};
    for (const std::string& set : sets) command.insert(command.end(), {"--set", set});
    return command;
  }
  Outcome trainer(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), MOEFB_TRAINER_PROGRAM);
    return testing::run(arguments);
  }
  std::string trained(const std::string& name) const {
    const std::string run = folder_ / name;
    EXPECT_EQ(testing::run(train_command(run, {"train.epochs=1"})).exit_code, 0);
    return run;
  }

  TemporaryFolder folder_;
  std::string config_ = folder_ / "tiny.toml";
};

/// Starts `command`, sends `signal_number` a little after `file` appears. @return exit code, -1 if the signal ended it
int interrupt_when_exists(const std::vector<std::string>& command, const std::string& file, int signal_number) {
  testing::Background program(command);
  program.runs_until([&file] { return fs::exists(file); });
  std::this_thread::sleep_for(kIntoTheEpoch);
  program.send(signal_number);
  return program.exit_code();
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Where there is a GPU these messages have no reason.
bool has_gpu() {
  return testing::message_of([] { device_of("this test", "cuda"); }).empty();
}

TEST_F(TrainerProgram, CudaWithoutAGpuIsRefusedBeforeAnythingIsWritten) {
  if (has_gpu()) GTEST_SKIP() << "there is a GPU";
  const std::string run = folder_ / "run";
  const Outcome train = testing::run(train_command(run, {"train.device=cuda"}));
  EXPECT_EQ(train.exit_code, 1);
  EXPECT_TRUE(contains(train.err, "train.device: expected cpu, as "));
  EXPECT_TRUE(contains(train.err, "found cuda"));
  EXPECT_FALSE(fs::exists(run));
  const Outcome launched = trainer({"launch", "-n", "2", "train", config_, "--out", run, "--set", "train.device=cuda"});
  EXPECT_EQ(launched.exit_code, 1);
  EXPECT_TRUE(contains(launched.err, "train.device: expected cpu, as "));
}

TEST_F(TrainerProgram, ARunOfAGpuIsTestedAndGoesOnOnTheCpu) {
  if (has_gpu()) GTEST_SKIP() << "there is a GPU";
  const std::string run = folder_ / "run";
  ASSERT_EQ(interrupt_when_exists(train_command(run, {"train.epochs=4", "data.train_size=900"}), run + "/metrics.jsonl",
                                  SIGINT),
            130);
  std::string config = text_of(run + "/config.json");
  config.replace(config.find("\"device\": \"cpu\""), 15, "\"device\": \"cuda\"");
  write_file_atomically(run + "/config.json", std::string_view(config));
  for (const char* command : {"resume", "eval"}) {
    const Outcome refused = trainer({command, run});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_TRUE(contains(refused.err, "the run's train.device (--device replaces it): expected cpu, as "));
    EXPECT_EQ(text_of(run + "/config.json"), config);
  }
  EXPECT_EQ(trainer({"eval", run, "--device", "cpu"}).exit_code, 0);
  EXPECT_EQ(text_of(run + "/config.json"), config) << "eval changes nothing";
  EXPECT_EQ(trainer({"resume", run, "--device", "cpu"}).exit_code, 0);
  EXPECT_TRUE(contains(text_of(run + "/config.json"), "\"device\": \"cpu\""));
  EXPECT_TRUE(contains(trainer({"resume", run, "--device", "tpu"}).err, "--device: expected cpu or cuda, found tpu"));
}

TEST_F(TrainerProgram, InterruptedRunResumesToTheSameWeights) {
  // Long enough that the signal, sent after the first epoch, finds the run in the middle of the second.
  const std::vector<std::string> longer = {"train.epochs=4", "data.train_size=900"};
  const std::string whole = folder_ / "whole";
  ASSERT_EQ(testing::run(train_command(whole, longer)).exit_code, 0);
  // A killed run saves nothing more: it goes on from its last whole epoch, and still to the same weights.
  const std::map<int, int> exit_codes = {{SIGINT, 130}, {SIGTERM, 130}, {SIGKILL, -1}};
  for (const auto& [signal_number, exit_code] : exit_codes) {
    const std::string run = folder_ / ("stopped" + std::to_string(signal_number));
    ASSERT_EQ(interrupt_when_exists(train_command(run, longer), run + "/metrics.jsonl", signal_number), exit_code);
    ASSERT_FALSE(fs::exists(run + "/golden.safetensors")) << "the run had ended before it was interrupted";
    ASSERT_EQ(trainer({"resume", run}).exit_code, 0);
    for (const char* file :
         {"/last.safetensors", "/model.safetensors", "/optimizer.safetensors", "/golden.safetensors"}) {
      EXPECT_EQ(read_file(run + file), read_file(whole + file)) << file;
    }
  }
}

TEST_F(TrainerProgram, RefusesAFolderThatHoldsARun) {
  const std::string run = trained("run");
  const auto before = read_file(run + "/model.safetensors");
  const Outcome outcome = testing::run(train_command(run, {"train.epochs=1"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "already holds a run"));
  EXPECT_EQ(read_file(run + "/model.safetensors"), before);
}

TEST_F(TrainerProgram, MistakesAreNamedAndExitOne) {
  const Outcome unknown = testing::run(train_command(folder_ / "run", {"train.epoch=1"}));
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_TRUE(contains(unknown.err, "train.epoch: unknown key"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_EQ(trainer({"resume", folder_ / "absent"}).exit_code, 1);
  EXPECT_EQ(trainer({"fly"}).exit_code, 1);
  EXPECT_EQ(trainer({}).exit_code, 1);
  EXPECT_EQ(trainer({"--help"}).exit_code, 0);
}

TEST_F(TrainerProgram, PredictionsHaveALineForEachTestPicture) {
  const std::string run = trained("run");
  const Outcome outcome = trainer({"eval", run, "--predictions", folder_ / "p.csv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "36 test pictures of shapes"));
  EXPECT_TRUE(contains(outcome.out, "expert  3:"));
  std::ifstream file(folder_ / "p.csv");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 37u);
  EXPECT_EQ(lines[0], "index,label,predicted,probability,label_name,predicted_name,file,experts");
  EXPECT_TRUE(lines[36].starts_with("35,"));
}

TEST_F(TrainerProgram, ExportedPicturesAreTheEvaluatedOnes) {
  const std::string run = trained("run");
  ASSERT_EQ(trainer({"eval", run, "--export", folder_ / "png"}).exit_code, 0);
  const RunConfig config = load_run_config(run + "/config.json");
  const PictureSet test = load_dataset(config.data).test;
  for (int64_t index = 0; index < test.size(); ++index) {
    char name[32];
    std::snprintf(name, sizeof(name), "%05ld.png", long(index));
    const auto path = fs::path(folder_ / "png") / config.class_names[size_t(test.labels[size_t(index)])] / name;
    const auto image = load_image(path.c_str());
    ASSERT_TRUE(image.ok()) << path;
    const auto expected = test.picture(index);
    EXPECT_TRUE(std::equal(image->bytes().begin(), image->bytes().end(), expected.begin(), expected.end())) << path;
  }
}

TEST_F(TrainerProgram, ConvertedModelAnswersAsTheTrainerDoes) {
  const std::string run = trained("run");
  convert::Options options;
  options.source = run;
  options.output = folder_ / "m.moefb";
  const convert::Report report = convert::convert(options);
  EXPECT_TRUE(report.warnings.empty());
  const Outcome outcome = trainer({"eval", run, "--model", options.output, "--predictions", folder_ / "p.csv"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "same class as the trainer for 36 of 36 pictures"));
}

TEST_F(TrainerProgram, AnalysesTheCurvatureOfARun) {
  const std::string run = trained("run");
  const Outcome wrong = trainer({"analyze", run, "hessian", "--routing", "sideways"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_TRUE(contains(wrong.err, "expected free|frozen, found sideways"));
  EXPECT_FALSE(fs::exists(run + "/analysis"));
  const Outcome outcome = trainer({"analyze", run, "hessian", "--pictures", "8", "--products", "14", "--trace", "none",
                                   "--routing", "frozen", "--surface", "0", "--points", "3"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "train: eigenvalues: 14 steps"));
  EXPECT_TRUE(fs::exists(run + "/analysis/hessian.json"));
}

TEST_F(TrainerProgram, AnalysesRoutingAndEfficiencyOfARun) {
  const std::string run = trained("run");
  const Outcome wrong = trainer({"analyze", run, "routing", "--permutations", "0"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_FALSE(fs::exists(run + "/analysis"));
  const Outcome outcome = trainer({"analyze", run, "routing", "efficiency", "--pictures", "20", "--permutations", "20",
                                   "--warmup", "1", "--batches", "1"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "routing of 20 test pictures"));
  EXPECT_TRUE(contains(outcome.out, "routing of test pictures: 20 pictures in "));
  EXPECT_TRUE(contains(outcome.out, "head alone: "));
  EXPECT_TRUE(fs::exists(run + "/analysis/routing.json"));
  EXPECT_TRUE(fs::exists(run + "/analysis/efficiency.json"));
}

}  // namespace
}  // namespace moefb::trainer

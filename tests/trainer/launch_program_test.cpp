// `trainer launch` as a user runs it: Ctrl-C, a process that dies, resume, mistakes.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/safetensors.h"
#include "converter/temporary_folder.h"
#include "trainer/background.h"
#include "trainer/train/metrics_log.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::Background;
using testing::contains;
using testing::Outcome;
using testing::TemporaryFolder;
using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::minutes(4);
constexpr auto kSoon = std::chrono::seconds(60);  // of a machine with much else to do; Gloo's own patience is minutes
constexpr const char* kProgram = MOEFB_TRAINER_PROGRAM;

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool wait_until(const std::function<bool()>& condition) {
  const auto start = Clock::now();
  while (!condition()) {
    if (Clock::now() - start > kPatience) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// Not even as a process that has ended and whom nobody has asked how.
bool is_running(pid_t pid) {
  const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
  return !stat.empty() && stat.find(") Z") == std::string::npos;
}

class LaunchProgram : public ::testing::Test {
 protected:
  LaunchProgram() { write_file_atomically(config_, std::string_view(kTinyToml)); }

  std::vector<std::string> train(const std::string& run, const std::vector<std::string>& sets, bool launched) const {
    std::vector<std::string> command = {kProgram};
    if (launched) command.insert(command.end(), {"launch", "-n", "2"});
    command.insert(command.end(), {"train", config_, "--out", run});
    for (const std::string& set : sets) command.insert(command.end(), {"--set", set});
    return command;
  }
  Outcome trainer(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), kProgram);
    return testing::run(arguments);
  }

  /// Long enough to be caught in its second epoch.
  const std::vector<std::string> long_run_ = {"train.epochs=6", "data.train_size=200"};
  TemporaryFolder folder_;
  std::string config_ = folder_ / "tiny.toml";
  std::string errors_ = folder_ / "stderr";
};

void expect_same_files(const std::string& expected, const std::string& found) {
  for (const char* file :
       {"/last.safetensors", "/model.safetensors", "/optimizer.safetensors", "/golden.safetensors"}) {
    EXPECT_EQ(read_file(expected + file), read_file(found + file)) << file;
  }
}

// In f32, as users train: the other tests of this are in double (several_processes_test). A step's gradients differ by
// about 1e-6 of their size (sums of a few thousand products); the steps up to the first epoch's end multiply that.
TEST_F(LaunchProgram, TrainsAsOneProcessDoes) {
  const std::string one = folder_ / "one", two = folder_ / "two";
  const std::vector<std::string> gently = {"train.learning_rate=0.01"};
  ASSERT_EQ(testing::run(train(one, gently, false)).exit_code, 0);
  const Outcome outcome = testing::run(train(two, gently, true));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "2 processes, each with 1 thread,"));
  const auto expected = read_metrics(one + "/metrics.jsonl"), found = read_metrics(two + "/metrics.jsonl");
  ASSERT_EQ(expected.size(), 3u);
  ASSERT_EQ(found.size(), 3u);
  const double loss = expected[0]["train_loss"];
  EXPECT_NEAR(found[0]["train_loss"].get<double>(), loss, 1e-4 * loss);
  EXPECT_EQ(found[0]["learning_rate"], expected[0]["learning_rate"]);
}

TEST_F(LaunchProgram, CtrlCSavesAndResumeGoesOnToTheSameBits) {
  const std::string whole = folder_ / "whole", run = folder_ / "run";
  ASSERT_EQ(testing::run(train(whole, long_run_, true)).exit_code, 0);
  Background launched(train(run, long_run_, true), errors_);
  ASSERT_TRUE(launched.runs_until([&] { return fs::exists(run + "/metrics.jsonl"); })) << text_of(errors_);
  launched.send(SIGINT);
  EXPECT_EQ(launched.exit_code(), 130) << text_of(errors_);
  ASSERT_FALSE(fs::exists(run + "/golden.safetensors")) << "the run had ended before it was interrupted";
  const Outcome outcome = trainer({"launch", "-n", "2", "resume", run});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  expect_same_files(whole, run);
}

// A run that one process began on all cores went on with so many threads in each of several.
TEST_F(LaunchProgram, SharesTheCoresAnewAmongAnotherNumberOfProcesses) {
  const auto share = [](int64_t processes) {
    const int64_t threads = std::max<int64_t>(1, int64_t(std::thread::hardware_concurrency()) / processes);
    return std::to_string(threads) + (threads == 1 ? " thread, " : " threads, ");
  };
  const std::string run = folder_ / "run";
  const Outcome began = testing::run(train(run, {"train.threads=0"}, false));
  ASSERT_EQ(began.exit_code, 0) << began.err;
  EXPECT_TRUE(contains(began.out, "\n" + share(1)));
  const Outcome went_on = trainer({"launch", "-n", "2", "resume", run});
  EXPECT_EQ(went_on.exit_code, 0) << went_on.err;
  EXPECT_TRUE(contains(went_on.out, "2 processes, each with " + share(2)));

  const std::string configured = folder_ / "configured";
  ASSERT_EQ(testing::run(train(configured, {"train.threads=2"}, false)).exit_code, 0);
  EXPECT_TRUE(contains(trainer({"launch", "-n", "2", "resume", configured}).out, "each with 2 threads, "));
}

TEST_F(LaunchProgram, AKilledProcessEndsTheRunAndLeavesACheckpoint) {
  const std::string run = folder_ / "run";
  Background launched(train(run, {"train.epochs=50", "data.train_size=900"}, true), errors_);
  ASSERT_TRUE(launched.runs_until([&] { return fs::exists(run + "/optimizer.safetensors"); })) << text_of(errors_);
  const std::vector<pid_t> children = launched.children();
  ASSERT_EQ(children.size(), 2u);
  const auto killed = Clock::now();
  ::kill(children[1], SIGKILL);
  EXPECT_EQ(launched.exit_code(), 1);
  EXPECT_LT(Clock::now() - killed, kSoon);
  EXPECT_TRUE(contains(text_of(errors_), "process 1 of 2 was ended by a signal (Killed), and the run with it"));
  EXPECT_TRUE(contains(text_of(errors_), "go on with `resume`"));
  EXPECT_FALSE(is_running(children[0])) << "a process was left behind";

  Background resumed({kProgram, "resume", run}, errors_);
  const auto lines = [&] { return text_of(run + "/metrics.jsonl"); };
  const std::string before = lines();
  EXPECT_TRUE(resumed.runs_until([&] { return lines().size() > before.size(); })) << "one process does not go on";
  resumed.send(SIGINT);
  EXPECT_EQ(resumed.exit_code(), 130);
}

TEST_F(LaunchProgram, ProcessesEndWithTheirLauncher) {
  const std::string run = folder_ / "run";
  std::vector<pid_t> children;
  {
    Background launched(train(run, {"train.epochs=1000"}, true), errors_);
    ASSERT_TRUE(launched.runs_until([&] { return fs::exists(run + "/metrics.jsonl"); })) << text_of(errors_);
    children = launched.children();
    ASSERT_EQ(children.size(), 2u);
  }  // SIGKILL
  for (const pid_t child : children) EXPECT_TRUE(wait_until([&] { return !is_running(child); }));
}

TEST_F(LaunchProgram, MistakesAreToldOnce) {
  const auto refusal = [&](const std::vector<std::string>& arguments) {
    const Outcome outcome = trainer(arguments);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(testing::lines(outcome.err).size(), 1u) << outcome.err;
    return outcome.err;
  };
  EXPECT_TRUE(contains(refusal({"launch", "-n", "2"}), "expected train or resume behind -n N"));
  EXPECT_TRUE(contains(refusal({"launch", "train", config_, "--out", folder_ / "run"}), "-n is required"));
  EXPECT_TRUE(contains(refusal({"launch", "-n", "0", "resume", folder_ / "run"}), "-n"));
  EXPECT_TRUE(contains(refusal({"launch", "-n", "2", "train", config_}), "--out is required"));
  EXPECT_TRUE(contains(
      refusal({"launch", "-n", "2", "--", "train", config_, "--out", folder_ / "run", "--set", "train.epochs=0"}),
      "epochs"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
  EXPECT_TRUE(contains(refusal({"launch", "-n", "2", "resume", folder_ / "run"}), "run is not a run folder"));
  EXPECT_EQ(trainer({"launch", "--help"}).exit_code, 0);
}

TEST_F(LaunchProgram, AWrongEnvironmentIsNamed) {
  ::setenv("WORLD_SIZE", "2", 1);
  const Outcome outcome = testing::run(train(folder_ / "run", {}, false));
  ::unsetenv("WORLD_SIZE");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "environment variable RANK: expected a value"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(LaunchProgram, OtherCommandsRunInOneProcess) {
  const std::map<std::string, std::string> several = {
      {"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", "9"}};
  for (const auto& [name, value] : several) ::setenv(name.c_str(), value.c_str(), 1);
  const Outcome outcome = trainer({"sweep", config_, "--grid", "train.seed=1,2", "--out", folder_ / "sweep"});
  for (const auto& [name, value] : several) ::unsetenv(name.c_str());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_TRUE(contains(outcome.err, "only train and resume run in several processes")) << outcome.err;
  EXPECT_FALSE(fs::exists(folder_ / "sweep"));
}

}  // namespace
}  // namespace moefb::trainer

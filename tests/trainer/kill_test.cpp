// A trainer that is killed at any moment loses at most the epoch under way, and ends with the same bits all the same.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>

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
using Clock = std::chrono::steady_clock;
using testing::TemporaryFolder;

constexpr int kKills = 8;
constexpr const char* kPending = "/last.safetensors.pending";
constexpr uint32_t kSeed = 1;
constexpr int kEpochs = 12;
constexpr std::chrono::microseconds kPoll(1000), kShortPoll(50);  // a checkpoint takes some milliseconds

class KilledTrainer : public ::testing::Test {
 protected:
  KilledTrainer() { write_file_atomically(config_, std::string_view(kTinyToml)); }

  std::vector<std::string> command(const std::string& run) const {
    if (fs::exists(run + "/config.json")) return {MOEFB_TRAINER_PROGRAM, "resume", run};
    std::vector<std::string> words = {MOEFB_TRAINER_PROGRAM, "train", config_, "--out", run};
    for (const char* set : {"train.epochs=12", "data.train_size=200", "train.ema=0.9", "train.keep_every=3",
                            "train.tensorboard=true", "train.keep=last"}) {
      words.insert(words.end(), {"--set", set});
    }
    return words;
  }
  /// @return how long it took
  Clock::duration finish(const std::string& run) const {
    const auto start = Clock::now();
    const testing::Outcome outcome = testing::run(command(run));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Clock::now() - start;
  }

  TemporaryFolder folder_;
  std::string config_ = folder_ / "tiny.toml";
};

int64_t saved_epochs(const std::string& run) {
  const std::string path = run + "/optimizer.safetensors";
  return fs::exists(path) ? safetensors::read(path).tensors.at("position").to_i64()[0] : 0;
}

int64_t logged_epochs(const std::string& run) {
  int64_t epochs = 0;
  for (const auto& line : read_metrics(run + "/metrics.jsonl")) epochs += line.contains("epoch");
  return epochs;
}

/// Content of every file by name; of the metrics and what is drawn from them, what does not depend on the machine.
std::map<std::string, std::string> results(const std::string& run) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), run).string();
    const auto bytes = read_file(entry.path().string());
    files[name].assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (name.starts_with("tensorboard/")) files[name] = std::to_string(bytes.size()) + " bytes";
  }
  files["metrics.jsonl"].clear();
  for (nlohmann::ordered_json line : read_metrics(run + "/metrics.jsonl")) {
    for (const char* key : kMachineKeys) line.erase(key);
    files["metrics.jsonl"] += line.dump() + "\n";
  }
  return files;
}

fs::file_time_type written(const std::string& file) {
  std::error_code absent;
  const auto time = fs::last_write_time(file, absent);
  return absent ? fs::file_time_type::min() : time;
}

/// When to kill: at a random moment of start-up, of an epoch or of the next one...
std::function<bool()> random_moment(const std::string& run, double epoch_s, std::mt19937& random) {
  const int64_t epochs = saved_epochs(run) + int64_t(random() % 2);
  const std::chrono::duration<double> delay(std::uniform_real_distribution<double>(0, epoch_s)(random));
  return [run, epochs, delay, moment = Clock::time_point::max()]() mutable {
    const bool far_enough = logged_epochs(run) >= epochs;
    if (far_enough && moment == Clock::time_point::max()) {
      moment = Clock::now() + std::chrono::duration_cast<Clock::duration>(delay);
    }
    return Clock::now() >= moment;
  };
}

/// ...or, one to three epochs on, as soon as the first file of a checkpoint is there and the second is not.
std::function<bool()> checkpoint_moment(const std::string& run, std::mt19937& random) {
  const std::string pending = run + kPending;
  const int64_t epochs = saved_epochs(run) + 1 + int64_t(random() % 3);
  return [=, before = written(pending)] { return written(pending) > before && logged_epochs(run) >= epochs; };
}

TEST_F(KilledTrainer, LosesAtMostTheEpochUnderWayAndEndsWithTheSameBits) {
  const std::string whole = folder_ / "whole", killed = folder_ / "killed";
  const double epoch_s = std::chrono::duration<double>(finish(whole)).count() / kEpochs;
  std::mt19937 random(kSeed);
  int kills = 0, while_saving = 0;
  int64_t saved = 0;
  while (kills < kKills) {
    const bool at_checkpoint = kills % 2 == 1;
    const auto moment = at_checkpoint ? checkpoint_moment(killed, random) : random_moment(killed, epoch_s, random);
    testing::Background program(command(killed));
    if (!program.runs_until(moment, at_checkpoint ? kShortPoll : kPoll))
      break;  // it was at its end before the moment came
    program.send(SIGKILL);
    ASSERT_EQ(program.exit_code(), -1);
    ++kills;
    while_saving += fs::exists(killed + kPending);
    const int64_t now = saved_epochs(killed);
    EXPECT_GE(now, saved) << "kill " << kills << " lost an epoch that had been saved";
    const int64_t logged = logged_epochs(killed);
    EXPECT_TRUE(logged == now || logged == now + 1) << logged << " epochs had ended, of which " << now << " are saved";
    saved = now;
  }
  finish(killed);
  EXPECT_GE(kills, 3) << "the run ended too soon to say anything";
  EXPECT_GE(while_saving, 1) << "no kill came while a checkpoint was being written";
  const auto expected = results(whole), found = results(killed);
  for (const auto& [name, content] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name) == content) << name << " differs";
  }
  EXPECT_EQ(found.size(), expected.size()) << "a killed trainer's rubbish is still there";
}

}  // namespace
}  // namespace moefb::trainer

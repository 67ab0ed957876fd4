// The trainer where it cannot write: exit 1, a message that names the file, whole checkpoints and nothing beside them.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "apps/process.h"
#include "converter/atomic_file.h"
#include "converter/full_disk.h"
#include "converter/temporary_folder.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::FullDisk;
using testing::Outcome;
using testing::TemporaryFolder;

class TrainerOnAFullDisk : public ::testing::Test {
 protected:
  TrainerOnAFullDisk() { write_file_atomically(config_, std::string_view(kTinyToml)); }

  Outcome train(const std::string& run, const std::string& epochs) const {
    return testing::run({MOEFB_TRAINER_PROGRAM, "train", config_, "--out", run, "--set", "train.epochs=" + epochs});
  }
  static void expect_failed(const Outcome& outcome, const std::string& message) {
    EXPECT_EQ(outcome.signal, 0);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_TRUE(contains(outcome.err, message));
  }
  /// File names in a run folder with their content.
  static std::map<std::string, std::vector<std::byte>> content(const std::string& run) {
    std::map<std::string, std::vector<std::byte>> files;
    for (const auto& entry : fs::directory_iterator(run)) {
      files[entry.path().filename().string()] = read_file(entry.path().string());
    }
    return files;
  }
  static void expect_no_remains(const std::string& run) {
    for (const auto& [name, bytes] : content(run)) {
      EXPECT_FALSE(contains(name, ".tmp.") || contains(name, ".pending")) << name;
    }
  }

  TemporaryFolder folder_;
  std::string config_ = folder_ / "tiny.toml";
  std::string run_ = folder_ / "run";
};

TEST_F(TrainerOnAFullDisk, NotEvenAConfiguration) {
  {
    const FullDisk full(500);
    expect_failed(train(run_, "1"), run_ + "/config.json: cannot write: File too large");
  }
  EXPECT_TRUE(content(run_).empty());
}

TEST_F(TrainerOnAFullDisk, NoCheckpoint) {
  {
    const FullDisk full(4000);
    expect_failed(train(run_, "1"), "cannot write: File too large");
  }
  expect_no_remains(run_);
  EXPECT_FALSE(fs::exists(run_ + "/last.safetensors"));
}

// The weights can be written, the optimiser's state cannot: neither may be of another step than the other.
TEST_F(TrainerOnAFullDisk, HalfACheckpoint) {
  fs::create_directories(run_ + "/optimizer.safetensors");  // in its place
  expect_failed(train(run_, "1"), "optimizer.safetensors: cannot write: exists and is not a regular file");
  for (const char* name : {"last.safetensors", "last.safetensors.pending"}) {
    EXPECT_FALSE(fs::exists(run_ + "/" + name)) << name;
  }
}

TEST_F(TrainerOnAFullDisk, RunFolderBelowAFile) {
  expect_failed(train(config_ + "/run", "1"), config_ + "/run: cannot be made a folder: Not a directory");
}

TEST_F(TrainerOnAFullDisk, PredictionsThatCannotBeWritten) {
  ASSERT_EQ(train(run_, "1").exit_code, 0);
  const auto before = content(run_);
  const std::string csv = folder_ / "p.csv";
  {
    const FullDisk full(1500);  // less than the table, more than what is printed
    expect_failed(testing::run({MOEFB_TRAINER_PROGRAM, "eval", run_, "--predictions", csv}),
                  csv + ": cannot write: File too large");
  }
  EXPECT_FALSE(fs::exists(csv));
  EXPECT_EQ(content(run_), before);
}

}  // namespace
}  // namespace moefb::trainer

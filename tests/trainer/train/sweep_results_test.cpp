#include "trainer/train/sweep_results.h"

#include <gtest/gtest.h>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/train/sweep_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

constexpr const char* kTwoEpochsAndTheTest = R"({"epoch": 1, "val_acc": 0.5, "seconds": 1.5}
{"epoch": 2, "val_acc": 0.25, "seconds": 2.5}
{"test_acc": 0.375, "tested_epoch": 1}
)";

std::vector<GridPoint> points(const std::vector<std::string>& grid) {
  std::vector<GridAxis> axes;
  for (const std::string& text : grid) axes.push_back(parse_grid_axis(text));
  return grid_points(axes);
}

std::vector<SweepRun> three_runs() {
  std::vector<SweepRun> runs;
  for (const GridPoint& point : points({"train.seed=1,2,3"}))
    runs.push_back({point, RunStatus::kOpen, 0, {}, {}, 0, ""});
  runs[0].status = RunStatus::kFailed;
  runs[0].error = "trainer: the loss became nan, in \"epoch\" 1";
  runs[1] = {runs[1].point, RunStatus::kFinished, 2, 0.5, 0.375, 4, ""};
  runs[2] = {runs[2].point, RunStatus::kFinished, 2, 0.75, 0.625, 64, ""};
  return runs;
}

TEST(SweepResults, AreReadFromTheRunsFolder) {
  const TemporaryFolder folder;
  SweepRun run;
  read_results(folder / "absent", run);
  EXPECT_EQ(run.status, RunStatus::kOpen);
  EXPECT_FALSE(run.best_val_acc.has_value());

  const std::string text = kTwoEpochsAndTheTest;
  write_file_atomically(folder / "metrics.jsonl", text.substr(0, text.find("{\"test")));
  read_results(folder.path(), run);
  EXPECT_EQ(run.status, RunStatus::kOpen);
  EXPECT_EQ(run.epochs, 2);

  write_file_atomically(folder / "metrics.jsonl", text);
  read_results(folder.path(), run);
  EXPECT_EQ(run.status, RunStatus::kFinished);
  EXPECT_EQ(run.epochs, 2) << "reading twice counts once";
  EXPECT_EQ(run.best_val_acc, 0.5);
  EXPECT_EQ(run.test_acc, 0.375);
  EXPECT_EQ(run.seconds, 4);

  write_file_atomically(folder / "metrics.jsonl", std::string_view("no json\n"));
  EXPECT_TRUE(contains(message_of([&] { read_results(folder.path(), run); }), "expected a JSON object in line 1"));
}

TEST(SweepResults, BestValidationAccuracyComesFirst) {
  EXPECT_EQ(results_table(sorted(three_runs())),
            "train.seed  val acc %  test acc %  epochs  seconds  status\n"
            "3           75.00      62.50       2       64.0     finished\n"
            "2           50.00      37.50       2       4.0      finished\n"
            "1           -          -           0       0.0      failed\n");
}

TEST(SweepResults, CsvQuotesWhatHasCommas) {
  EXPECT_EQ(results_csv(three_runs()),
            "run,train.seed,best_val_acc,test_acc,epochs,seconds,status,error\n"
            "seed=1,1,,,0,0.000,failed,\"trainer: the loss became nan, in \"\"epoch\"\" 1\"\n"
            "seed=2,2,0.5,0.375,2,4.000,finished,\n"
            "seed=3,3,0.75,0.625,2,64.000,finished,\n");
}

TEST(SweepResults, JsonReadsBackTheSame) {
  const auto json = results_json(three_runs());
  EXPECT_TRUE(json[0]["best_val_acc"].is_null());
  EXPECT_EQ(json[1]["parameters"]["train.seed"], "2");
  EXPECT_EQ(results_json(runs_of_json(json)), json);
}

class SweepFolderOf : public ::testing::Test {
 protected:
  SweepFolder open(const std::vector<std::string>& grid, const nlohmann::json& base = {{"k", 2}}) const {
    return {path_, base, points(grid)};
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "sweep";
};

TEST_F(SweepFolderOf, AGridMayGrowAndKeepsWhatItHad) {
  SweepFolder before = open({"train.seed=1,2"});
  before.runs()[0].status = RunStatus::kFailed;
  before.save();
  SweepFolder after = open({"train.seed=2,3"});
  ASSERT_EQ(after.runs().size(), 3u);
  EXPECT_EQ(after.runs()[0].point.name, "seed=2");
  EXPECT_EQ(after.runs()[1].point.name, "seed=3");
  EXPECT_EQ(after.runs()[2].point.name, "seed=1");
  EXPECT_EQ(after.runs()[2].point.sets(), (std::vector<std::string>{"train.seed=1"}));
  EXPECT_EQ(after.run_folder(after.runs()[1]), path_ + "/seed=3");
}

TEST_F(SweepFolderOf, RefusesAnotherConfigurationOtherKeysAndOtherFiles) {
  open({"train.seed=1,2"}).save();
  EXPECT_TRUE(contains(message_of([&] {
                         open({"train.seed=1,2"}, {{"k", 3}});
                       }),
                       "holds a sweep of another configuration (/k was 2 and is 3)"));
  EXPECT_TRUE(contains(message_of([&] { open({"train.momentum=0,0.9"}); }),
                       "holds a sweep over train.seed, expected one over train.momentum"));
  write_file_atomically(path_ + "/sweep.json", std::string_view("{}"));
  EXPECT_TRUE(contains(message_of([&] { open({"train.seed=1"}); }), "expected the results of a sweep"));
  std::filesystem::remove(path_ + "/sweep.json");
  EXPECT_TRUE(contains(message_of([&] { open({"train.seed=1"}); }), "expected a new or empty folder"));
}

}  // namespace
}  // namespace moefb::trainer

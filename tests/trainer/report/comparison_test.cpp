#include "trainer/report/comparison.h"

#include <gtest/gtest.h>

#include <limits>

#include "trainer/report/read_run.h"
#include "trainer/report/run_folders.h"

namespace moefb::report {
namespace {

using Runs = std::vector<Run>;  // within a TEST, Run is a member of its class

double test_accuracy(const Run& run) {
  return run.test ? run.test->accuracy : kUnknown;
}

double last_accuracy(const Run& run) {
  return run.epochs.back().val_acc;
}

TEST(Compare, RunsThatDifferBySeedAloneFormAGroup) {
  RunFolders folders;
  Runs runs;
  for (const int seed : {2, 1, 3})
    runs.push_back(read_run(folders.add_head("dense" + std::to_string(seed), "dense", seed, 0.6)));
  runs.push_back(read_run(folders.add_head("soft", "soft", 1, 0.6)));
  const Comparison comparison = compare(std::move(runs));
  ASSERT_EQ(comparison.panels.size(), 1u);
  ASSERT_EQ(comparison.panels[0].groups.size(), 2u);
  const Group& dense = comparison.panels[0].groups[0];
  ASSERT_EQ(dense.runs.size(), 3u);
  EXPECT_EQ(dense.runs[0]->setup.seed, 1);
  EXPECT_EQ(dense.runs[2]->setup.seed, 3);
  EXPECT_EQ(dense.seeds_text(), "3 seeds");
  EXPECT_EQ(dense.name, "dense");
  EXPECT_EQ(comparison.panels[0].groups[1].label, "soft, 3 experts");
}

TEST(Compare, OneSettingMorePartsTwoGroupsAndIsNamed) {
  RunFolders folders;
  Json wide = head_config("dense", 1);
  wide["train"]["learning_rate"] = 0.2;
  Runs runs = {read_run(folders.add_head("a", "dense", 1, 0.6)), read_run(folders.add("b", wide, {}))};
  const Comparison comparison = compare(std::move(runs));
  ASSERT_EQ(comparison.panels[0].groups.size(), 2u);
  EXPECT_EQ(comparison.panels[0].groups[0].label, "dense, learning_rate 0.1");
  EXPECT_EQ(comparison.panels[0].groups[1].label, "dense, learning_rate 0.2");
  EXPECT_EQ(comparison.panels[0].groups[1].name, "dense, learning_rate 0.2");
}

TEST(Compare, ASettingThatAGroupDoesNotHaveIsNotInItsName) {
  RunFolders folders;
  Json small = patch_config(16, 1), narrow = patch_config(16, 1);
  small["expert_kernel"] = {3, 1};
  narrow["post_kernel"] = 1;
  Runs runs = {read_run(folders.add_patches("plain", 16, 1, 0.5)), read_run(folders.add("small", small, {})),
               read_run(folders.add("narrow", narrow, {}))};
  const Comparison comparison = compare(std::move(runs));
  const std::vector<Group>& groups = comparison.panels[0].groups;
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].label, "patch network, 16 experts");
  EXPECT_EQ(groups[0].name, "MoE-16");
  EXPECT_EQ(groups[1].label, "patch network, 16 experts, expert_kernel [3,1]");
  EXPECT_EQ(groups[1].name, "MoE-16, expert_kernel [3,1]");
  EXPECT_EQ(groups[2].name, "MoE-16, post_kernel 1");
}

// Two seeds of one model were two models, because a version of the trainer between them writes `train.accumulate`.
TEST(Compare, ALaterSettingAtItsDefaultPartsNothing) {
  RunFolders folders;
  Json later = head_config("dense", 2), other = head_config("dense", 3);
  later["train"].update({{"accumulate", 1}, {"patience", 0}, {"min_delta", 0.0}, {"deterministic", false}});
  later["train"]["tensorboard"] = true;
  other["train"]["accumulate"] = 4;
  Runs runs = {read_run(folders.add_head("a", "dense", 1, 0.6)), read_run(folders.add("b", later, {})),
               read_run(folders.add("c", other, {}))};
  const Comparison comparison = compare(std::move(runs));
  const std::vector<Group>& groups = comparison.panels[0].groups;
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].runs.size(), 2u);
  EXPECT_EQ(groups[0].label, "dense");
  EXPECT_EQ(groups[1].label, "dense, accumulate 4");
}

TEST(Compare, TheSameSeedTwiceIsCountedAsRuns) {
  RunFolders folders;
  Runs runs = {read_run(folders.add_head("a", "dense", 1, 0.6)), read_run(folders.add_head("b", "dense", 1, 0.6))};
  EXPECT_EQ(compare(std::move(runs)).panels[0].groups[0].seeds_text(), "2 runs");
}

TEST(Compare, FamiliesAndDataSetsGetPanelsOfTheirOwn) {
  RunFolders folders;
  Json shapes = head_config("dense", 1);
  shapes["data"]["name"] = "shapes";
  Runs runs = {read_run(folders.add_head("a", "dense", 1, 0.6)), read_run(folders.add_patches("b", 4, 1, 0.5)),
               read_run(folders.add("c", shapes, {}))};
  const Comparison comparison = compare(std::move(runs));
  ASSERT_EQ(comparison.panels.size(), 3u);
  EXPECT_EQ(comparison.panels[0].title, "Heads on CIFAR-10");
  EXPECT_EQ(comparison.panels[1].title, "Patch networks on flowers (2 classes)");
  EXPECT_EQ(comparison.panels[1].groups[0].name, "MoE-4");
}

TEST(Compare, NamesRunsByAsMuchOfTheirPathsAsItTakes) {
  RunFolders folders;
  Runs runs = {read_run(folders.add_head("one/s1", "dense", 1, 0.6)),
               read_run(folders.add_head("two/s1", "dense", 2, 0.6))};
  const Comparison comparison = compare(std::move(runs));
  EXPECT_EQ(comparison.runs[0].name, "one/s1");
  EXPECT_EQ(comparison.runs[1].name, "two/s1");
}

TEST(Ranked, PutsTheBestMeanFirstAndLeavesOutWhatIsUnknown) {
  RunFolders folders;
  Runs runs = {read_run(folders.add_head("a", "dense", 1, 0.6)), read_run(folders.add_head("b", "soft", 1, 0.7)),
               read_run(folders.add("c", head_config("sparse", 1), {}))};
  const Comparison comparison = compare(std::move(runs));
  const auto list = ranked(comparison.panels[0], 1, test_accuracy);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].group->name, "soft");
  EXPECT_EQ(ranked(comparison.panels[0], -1, test_accuracy)[0].group->name, "dense");
  EXPECT_EQ(seeds_text(list), "one seed each");
}

TEST(RankedAtEnd, ARunInItsFirstEpochsDoesNotPullItsGroupDown) {
  RunFolders folders;
  Runs runs = {read_run(folders.add_head("done", "dense", 1, 0.6)),
               read_run(folders.add("going", head_config("dense", 2), {epoch_line(1, 0.2)}))};
  const Comparison comparison = compare(std::move(runs));
  EXPECT_DOUBLE_EQ(ranked_at_end(comparison.panels[0], 1, last_accuracy)[0].spread.mean, 0.6);
  EXPECT_DOUBLE_EQ(ranked(comparison.panels[0], 1, last_accuracy)[0].spread.mean, 0.4);
}

TEST(RankedAtEnd, TakesAllRunsWhereNoneIsFinished) {
  RunFolders folders;
  Runs runs = {read_run(folders.add("going", head_config("dense", 2), {epoch_line(1, 0.2)}))};
  const Comparison comparison = compare(std::move(runs));
  EXPECT_EQ(ranked_at_end(comparison.panels[0], 1, last_accuracy).size(), 1u);
}

TEST(ClearlyApart, AsksForTwiceTheStandardError) {
  const std::vector<double> low = {1, 2, 3}, near = {2, 3, 4}, far = {9, 10, 11};
  EXPECT_FALSE(clearly_apart(spread(low), spread(near)));
  EXPECT_TRUE(clearly_apart(spread(low), spread(far)));
  EXPECT_FALSE(clearly_apart(spread(std::vector<double>{1}), spread(far)));  // one run says nothing about spread
}

}  // namespace
}  // namespace moefb::report

#include "trainer/train/sweep_grid.h"

#include <gtest/gtest.h>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;
using Strings = std::vector<std::string>;

Strings names_of(const Strings& grid) {
  std::vector<GridAxis> axes;
  for (const std::string& text : grid) axes.push_back(parse_grid_axis(text));
  Strings names;
  for (const GridPoint& point : grid_points(axes)) names.push_back(point.name);
  return names;
}

TEST(SweepGrid, HasEveryCombinationOnce) {
  EXPECT_EQ(names_of({"train.learning_rate=0.05,0.1", "train.seed=1,2"}),
            (Strings{"learning_rate=0.05,seed=1", "learning_rate=0.05,seed=2", "learning_rate=0.1,seed=1",
                     "learning_rate=0.1,seed=2"}));
}

TEST(SweepGrid, PointsAreSetByTheirWholeKeys) {
  const auto points = grid_points({parse_grid_axis("train.seed=7"), parse_grid_axis("head=soft")});
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].sets(), (Strings{"train.seed=7", "head=soft"}));
}

TEST(SweepGrid, CommasInListsAndTextsSeparateNothing) {
  EXPECT_EQ(parse_grid_axis("train.milestones=[1, 2],[3],[]").values, (Strings{"[1, 2]", "[3]", "[]"}));
  EXPECT_EQ(parse_grid_axis("data.path=\"a,b\",c").values, (Strings{"\"a,b\"", "c"}));
}

TEST(SweepGrid, NamesAreFileNamesAndSayWhichKeyIsMeant) {
  EXPECT_EQ(names_of({"train.milestones=[1, 2]"}), (Strings{"milestones=_1__2_"}));
  EXPECT_EQ(names_of({"data.path=../x"}), (Strings{"path=.._x"}));
  EXPECT_EQ(names_of({"train.seed=1", "data.seed=2"}), (Strings{"train.seed=1,data.seed=2"}));
}

TEST(SweepGrid, RefusesWhatIsNoGrid) {
  EXPECT_TRUE(contains(message_of([] { parse_grid_axis("train.seed"); }), "--grid train.seed: expected key=value"));
  EXPECT_TRUE(contains(message_of([] { parse_grid_axis("=1"); }), "expected key=value"));
  EXPECT_TRUE(contains(message_of([] { parse_grid_axis("k=1,,2"); }), "a value is empty"));
  EXPECT_TRUE(contains(message_of([] { parse_grid_axis("k="); }), "a value is empty"));
  EXPECT_TRUE(contains(message_of([] { parse_grid_axis("k=1,2,1"); }), "the value 1 is there twice"));
  EXPECT_TRUE(contains(message_of([] { grid_points({}); }), "needs a --grid"));
  EXPECT_TRUE(contains(message_of([] { names_of({"k=1", "k=2"}); }), "the key has a --grid already"));
  EXPECT_TRUE(contains(message_of([] { names_of({"data.path=a/b,a_b"}); }), "would be called path=a_b"));
}

TEST(SweepGrid, RefusesMoreRunsThanAnyoneMeans) {
  std::string many = "k=0";
  for (int i = 1; i < 101; ++i) many += "," + std::to_string(i);
  EXPECT_TRUE(contains(message_of([&] { names_of({many, "l" + many.substr(1)}); }), "at most 10000 runs"));
}

}  // namespace
}  // namespace moefb::trainer

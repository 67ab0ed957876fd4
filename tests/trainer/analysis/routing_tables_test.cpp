// Counts over hand-made choices.
#include "trainer/analysis/routing_tables.h"

#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

LayerChoices grid(int64_t experts, int64_t rows, int64_t columns, std::vector<int32_t> first) {
  LayerChoices layer;
  layer.experts = experts;
  layer.rows = rows;
  layer.columns = columns;
  layer.sureness.assign(first.size(), 0.5f);
  layer.first = std::move(first);
  return layer;
}

using Counts = std::vector<int64_t>;

TEST(PictureTable, CountsTheTokensOfEachPicture) {
  const LayerChoices layer = grid(3, 2, 2, {0, 0, 1, 0, 2, 2, 2, 1});
  EXPECT_EQ(picture_table(layer).counts, (Counts{3, 1, 0, 0, 1, 3}));
}

TEST(ClassTable, AddsPicturesOfOneClassUp) {
  const CountTable pictures = picture_table(grid(2, 1, 2, {0, 0, 0, 1, 1, 1}));
  const std::vector<int64_t> labels = {1, 0, 1};
  EXPECT_EQ(class_table(pictures, labels, 3).counts, (Counts{1, 1, 2, 2, 0, 0}));
}

TEST(RowShares, SumToOneOrAreAllZero) {
  CountTable table(2, 2);
  table.counts = {1, 3, 0, 0};
  EXPECT_EQ(row_shares(table), (Rows{{0.25, 0.75}, {0, 0}}));
}

TEST(PositionTable, CountsPlaceByPlace) {
  const LayerChoices layer = grid(2, 1, 3, {0, 1, 1, 0, 0, 1});
  EXPECT_EQ(position_table(layer).counts, (Counts{2, 0, 1, 1, 0, 2}));
}

TEST(TransitionTable, FollowsEachPlaceFromLayerToLayer) {
  const LayerChoices from = grid(2, 1, 2, {0, 1, 1, 1});
  const LayerChoices to = grid(3, 1, 2, {2, 0, 0, 1});
  EXPECT_EQ(transition_table(from, to).counts, (Counts{0, 0, 1, 2, 1, 0}));
}

TEST(TransitionTable, TakesTheTokenUnderTheCentreWhereGridsDiffer) {
  const LayerChoices from = grid(4, 2, 2, {0, 1, 2, 3});
  const LayerChoices finer = grid(1, 4, 4, std::vector<int32_t>(16, 0));
  EXPECT_EQ(transition_table(from, finer).counts, (Counts{4, 4, 4, 4}));
  const LayerChoices coarser = grid(1, 1, 1, {0});
  EXPECT_EQ(transition_table(from, coarser).counts, (Counts{0, 0, 0, 1}));
}

TEST(Coactivation, IsTheShareOfTokensThatBothTake) {
  LayerChoices layer = grid(3, 1, 1, {0, 1, 0, 2});
  EXPECT_TRUE(coactivation(layer).empty());
  layer.top_k = 2;
  layer.chosen = {0, 1, 1, 0, 0, 2, 2, 1};
  EXPECT_EQ(coactivation(layer), (Rows{{0.75, 0.5, 0.25}, {0.5, 0.75, 0.25}, {0.25, 0.25, 0.5}}));
}

TEST(SameShare, IsOneForEqualChoicesAndCountsOthers) {
  const LayerChoices layer = grid(3, 2, 2, {0, 1, 2, 0});
  EXPECT_EQ(same_share(layer, layer), 1);
  EXPECT_EQ(same_share(layer, grid(3, 2, 2, {0, 2, 1, 0})), 0.5);
}

TEST(SurestTokens, AreSortedOneOfAPictureAndNoMoreThanAskedFor) {
  LayerChoices layer = grid(2, 1, 2, {0, 0, 0, 1, 1, 1, 0, 1});
  layer.sureness = {0.6f, 0.7f, 0.9f, 0.99f, 0.8f, 0.8f, 0.7f, 0.5f};
  EXPECT_EQ(surest_tokens(layer, 0, 10), (std::vector<int64_t>{2, 1, 6}));
  EXPECT_EQ(surest_tokens(layer, 0, 2), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(surest_tokens(layer, 1, 10), (std::vector<int64_t>{3, 4, 7}));
}

TEST(SurestTokens, OfAnExpertThatNobodyChoseAreNone) {
  EXPECT_TRUE(surest_tokens(grid(2, 1, 1, {0, 0}), 1, 5).empty());
}

}  // namespace
}  // namespace moefb::trainer

#include "graph/joined.h"

#include <gtest/gtest.h>

namespace moefb::graph {
namespace {

Node node(Op op, std::vector<int> inputs, int output) {
  Node made;
  made.op = op;
  made.inputs = std::move(inputs);
  made.output = output;
  return made;
}

/// Value 0 is the token; value 1 its norm; value 2 the sum.
ExpertBank bank(std::vector<int> addends) {
  ExpertBank made;
  made.experts = 1;
  made.values.resize(5);
  made.body = {node(Op::kGroupNorm, {0}, 1), node(Op::kAdd, std::move(addends), 2)};
  return made;
}

using Joined = std::vector<bool>;

TEST(JoinedWithNext, ANormAndTheSumBehindIt) {
  EXPECT_EQ(joined_with_next(bank({0, 1})), (Joined{true, false}));
  EXPECT_EQ(joined_with_next(bank({1, 0})), (Joined{true, false}));  // of two, either: a + b is b + a
}

TEST(JoinedWithNext, NotWhereTheOrderOfAdditionsWouldChange) {
  EXPECT_EQ(joined_with_next(bank({3, 4, 1})), (Joined{true, false}));
  EXPECT_EQ(joined_with_next(bank({3, 1, 4})), (Joined{false, false}));
}

TEST(JoinedWithNext, NotWhereSomeoneElseReadsTheNorm) {
  ExpertBank more = bank({0, 1});
  more.body.push_back(node(Op::kAdd, {1, 2}, 3));
  EXPECT_EQ(joined_with_next(more), (Joined{false, false, false}));
  EXPECT_EQ(joined_with_next(bank({1, 1})), (Joined{false, false}));
}

TEST(JoinedWithNext, NotWhereTheSumIsNotOfTheNormOrAlone) {
  EXPECT_EQ(joined_with_next(bank({0, 3})), (Joined{false, false}));
  EXPECT_EQ(joined_with_next(bank({1})), (Joined{false, false}));
  ExpertBank other = bank({0, 1});
  other.body[0].op = Op::kMaxPool;
  EXPECT_EQ(joined_with_next(other), (Joined{false, false}));
}

Graph stages(const std::string& name) {
  Graph graph;
  graph.values.resize(3);
  graph.values[1].name = name;
  graph.output = 2;
  graph.stages.resize(2);
  graph.stages[0].node = node(Op::kGroupNorm, {0}, 1);
  graph.stages[1].node = node(Op::kAdd, {0, 1}, 2);
  return graph;
}

TEST(JoinedWithNext, StagesUnlessTheNormIsShownOrRead) {
  EXPECT_EQ(joined_with_next(stages("")), (Joined{true, false}));
  EXPECT_EQ(joined_with_next(stages("shown")), (Joined{false, false}));
  Graph output = stages("");
  output.output = 1;
  EXPECT_EQ(joined_with_next(output), (Joined{false, false}));
  Graph moe = stages("");
  moe.stages.emplace_back();
  moe.stages[2].is_moe = true;
  moe.stages[2].moe.input = 1;
  EXPECT_EQ(joined_with_next(moe), (Joined{false, false, false}));
}

}  // namespace
}  // namespace moefb::graph

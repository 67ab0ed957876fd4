#include "graph/def_use.h"

#include <gtest/gtest.h>

namespace moefb::graph {
namespace {

TEST(DefUse, AcceptsAChain) {
  DefUse flow(2);
  EXPECT_TRUE(flow.define(0).ok());
  EXPECT_TRUE(flow.use(0).ok());
  EXPECT_TRUE(flow.use(0).ok());
  EXPECT_TRUE(flow.define(1).ok());
  EXPECT_TRUE(flow.use(1).ok());
  EXPECT_TRUE(flow.finish().ok());
}

TEST(DefUse, RefusesSecondDefinition) {
  DefUse flow(1);
  EXPECT_TRUE(flow.define(0).ok());
  EXPECT_STREQ(flow.define(0).text(), "a value is defined twice");
}

TEST(DefUse, RefusesUseBeforeDefinition) {
  DefUse flow(2);
  EXPECT_STREQ(flow.use(1).text(), "a value is used before it is defined");
  EXPECT_EQ(flow.use(1).where(), 1);
}

TEST(DefUse, RefusesValuesThatNobodyDefinesOrUses) {
  DefUse flow(2);
  EXPECT_TRUE(flow.define(0).ok());
  EXPECT_STREQ(flow.finish().text(), "a value is never used");
  EXPECT_TRUE(flow.use(0).ok());
  EXPECT_STREQ(flow.finish().text(), "a value is never defined");
  EXPECT_EQ(flow.finish().where(), 1);
}

TEST(DefUse, AcceptsNothingAtAll) {
  EXPECT_TRUE(DefUse(0).finish().ok());
}

}  // namespace
}  // namespace moefb::graph

// What inspect.h says of a router's grid, against the sizes of the published network.
#include "moefb/inspect.h"

#include <gtest/gtest.h>

#include "golden_models.h"

namespace moefb {
namespace {

golden::Fixture fixture(const std::string& name) {
  for (golden::Fixture& f : golden::all_fixtures()) {
    if (f.name == name) return std::move(f);
  }
  throw std::runtime_error("no fixture " + name);
}

std::vector<RouterInfo> routers(const std::string& name) {
  const golden::Converted file(fixture(name));
  const Model model = golden::load(file.path(), Kernels::kReference, 1);
  std::vector<RouterInfo> all;
  for (int i = 0; i < stage_count(model); ++i) {
    if (stage_info(model, i).is_moe) all.push_back(stage_info(model, i).router);
  }
  return all;
}

// 64 x 64 pixels; the stem and each of three down-sampling blocks halve them. Patch and map shrink together until the
// patch has reached 2.
TEST(RouterInfo, GridAndStrideOfAPatchNetwork) {
  const std::vector<RouterInfo> all = routers("seed2_net_tiny_ckpt");
  const int64_t strides[] = {2, 2, 4, 8, 16}, sides[] = {4, 4, 4, 4, 2};
  ASSERT_EQ(all.size(), 5u);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].stride, strides[i]) << i;
    EXPECT_EQ(all[i].rows, sides[i]) << i;
    EXPECT_EQ(all[i].columns, sides[i]) << i;
    EXPECT_EQ(all[i].rows * all[i].columns, all[i].tokens_per_image) << i;
    EXPECT_EQ(all[i].patch * all[i].stride * all[i].rows, 64) << i;
  }
}

TEST(RouterInfo, HeadHasOneToken) {
  const std::vector<RouterInfo> all = routers("seed1_head_sparse");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].rows, 1);
  EXPECT_EQ(all[0].columns, 1);
  EXPECT_EQ(all[0].stride, 1);
}

}  // namespace
}  // namespace moefb

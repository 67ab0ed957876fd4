// Where patches lie, for the published network and for sizes that do not divide.
#include "trainer/analysis/patch_places.h"

#include <gtest/gtest.h>

namespace moefb::trainer {
namespace {

TEST(PatchPlaces, OfThePublishedNetworkAreSevenBySevenOf32Pixels) {
  const std::vector<PatchPlaces> places = patch_places(PatchNetConfig());
  ASSERT_EQ(places.size(), 5u);
  const int64_t layers[] = {0, 1, 3, 5, 7};
  for (size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i].layer, layers[i]);
    EXPECT_EQ(places[i].rows, 7);
    EXPECT_EQ(places[i].columns, 7);
    EXPECT_EQ(places[i].pixels, 32);
  }
}

TEST(PatchPlaces, AreCutOffWherePaddingMadeTheMapLarger) {
  PatchNetConfig config;
  config.image_height = config.image_width = 40;  // a map of 20, padded to 24 by patches of 8
  config.patch_size = 8;
  const std::vector<PatchPlaces> places = patch_places(config);
  EXPECT_EQ(places[0].rows, 3);
  EXPECT_EQ(places[0].pixels, 16);
  EXPECT_EQ(places[2].rows, 3);         // layer 3: 24 halved is 12, patches of 4
  EXPECT_EQ(places[4].pixels, 2 * 16);  // layer 7: stride 16, patches of 2, the smallest
  const Region last = places[0].region(8, 40);
  EXPECT_EQ(last.left, 32);
  EXPECT_EQ(last.width, 8);
  EXPECT_EQ(last.height, 8);
  const Region second = places[0].region(1, 40);
  EXPECT_EQ(second.left, 16);
  EXPECT_EQ(second.top, 0);
  EXPECT_EQ(second.width, 16);
}

TEST(PatchPlaces, DoNotGrowWherePaddingIsCropped) {
  PatchNetConfig config;
  config.image_height = config.image_width = 36;  // maps of 18, 9, 5, 3
  config.patch_size = 16;
  config.crop_padding = true;
  const std::vector<PatchPlaces> places = patch_places(config);
  const int64_t rows[] = {2, 2, 2, 2, 2};
  for (size_t i = 0; i < places.size(); ++i) EXPECT_EQ(places[i].rows, rows[i]);
}

}  // namespace
}  // namespace moefb::trainer

// examples/images holds what draw_examples draws. Pixels are compared, not files: another version of stb may pack a PNG
// better or round a JPEG differently.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "converter/temporary_folder.h"
#include "moefb/image.h"

namespace moefb::trainer {
namespace {

std::set<std::string> pictures_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".md") names.insert(entry.path().filename().string());
  }
  return names;
}

double mean_gap(const Image& a, const Image& b) {
  double gap = 0;
  for (size_t i = 0; i < a.bytes().size(); ++i) gap += std::abs(a.bytes()[i] - b.bytes()[i]);
  return gap / double(a.bytes().size());
}

TEST(Examples, AreWhatTheToolDraws) {
  const std::filesystem::path committed = std::string(MOEFB_SOURCE_DIR) + "/examples/images";
  const testing::TemporaryFolder drawn;
  ASSERT_EQ(std::system(("\"" MOEFB_DRAW_EXAMPLES "\" \"" + drawn.path() + "\"").c_str()), 0);
  ASSERT_EQ(pictures_in(drawn.path()), pictures_in(committed));
  for (const std::string& name : pictures_in(committed)) {
    const auto expected = load_image((committed / name).c_str());
    const auto found = load_image((drawn / name).c_str());
    ASSERT_TRUE(expected.ok() && found.ok()) << name;
    ASSERT_EQ(found->width, expected->width) << name;
    ASSERT_EQ(found->height, expected->height) << name;
    EXPECT_LE(mean_gap(*found, *expected), name.ends_with(".png") ? 0 : 1) << name;
  }
}

}  // namespace
}  // namespace moefb::trainer

#include "trainer/data/png.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "converter/temporary_folder.h"
#include "moefb/image.h"

namespace moefb::trainer {
namespace {

/// A smooth picture, so that JPEG keeps it nearly whole.
std::vector<uint8_t> slopes(int width, int height) {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (const int value : {x * 255 / width, y * 255 / height, 128}) rgb.push_back(uint8_t(value));
    }
  }
  return rgb;
}

class PictureFile : public ::testing::Test {
 protected:
  Image loaded() const {
    Result<Image> image = load_image(path_.c_str());
    EXPECT_TRUE(image.ok());
    return image.ok() ? std::move(*image) : Image{};
  }
  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "picture";
};

TEST_F(PictureFile, PngComesBackBitForBit) {
  for (const auto& [width, height] : {std::pair{1, 1}, {7, 3}, {32, 32}, {240, 180}}) {
    const std::vector<uint8_t> rgb = slopes(width, height);
    write_png(path_, width, height, rgb);
    const Image image = loaded();
    ASSERT_EQ(image.width, width);
    ASSERT_EQ(image.height, height);
    EXPECT_TRUE(std::ranges::equal(image.bytes(), rgb));
  }
}

TEST_F(PictureFile, JpegComesBackNearly) {
  const std::vector<uint8_t> rgb = slopes(61, 43);
  write_jpeg(path_, 61, 43, rgb);
  const Image image = loaded();
  ASSERT_EQ(image.width, 61);
  ASSERT_EQ(image.height, 43);
  double gap = 0;
  for (size_t i = 0; i < rgb.size(); ++i) gap += std::abs(rgb[i] - image.bytes()[i]);
  EXPECT_LT(gap / double(rgb.size()), 4);
}

TEST_F(PictureFile, RefusesPixelsOfAnotherSize) {
  EXPECT_EQ(testing::message_of([&] { write_png(path_, 4, 5, slopes(4, 4)); }),
            path_ + ": expected 3 bytes for each pixel of 4x5, found 48 bytes");
  EXPECT_THROW(write_jpeg(path_, 0, 0, {}), std::runtime_error);
  EXPECT_EQ(folder_.file_count(), 0u);
}

TEST_F(PictureFile, NamesAFileThatCannotBeWritten) {
  const std::string path = folder_ / "no_such_folder/a.png";
  EXPECT_TRUE(testing::contains(testing::message_of([&] { write_png(path, 2, 2, slopes(2, 2)); }), path));
}

}  // namespace
}  // namespace moefb::trainer

// EXIF orientation: all eight, both byte orders, both formats, and blocks that are damaged.
#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

struct Entry {
  uint32_t tag = 0x0112;
  uint32_t type = 3;
  uint32_t count = 1;
  uint32_t value = 6;
};

// A TIFF block with one directory at `offset`, whose first entry is of no interest.
Buffer tiff(const Entry& entry, bool little, uint32_t offset = 8) {
  Buffer block(8 + 2 + 2 * 12 + 4, 0);
  const auto put = [&](size_t at, size_t n, uint32_t value) {
    little ? put_le(block, at, n, value) : put_be(block, at, n, value);
  };
  block[0] = block[1] = little ? 'I' : 'M';
  put(2, 2, 42);
  put(4, 4, offset);
  put(8, 2, 2);
  put(10, 2, 0x010F);  // maker
  put(12, 2, 2);
  put(14, 4, 4);
  put(22, 2, entry.tag);
  put(24, 2, entry.type);
  put(26, 4, entry.count);
  put(30, 2, entry.value);
  put(34, 4, 8);  // a next directory that is this one again
  return block;
}

// A JPEG with the block in an APP1 segment behind its start.
Buffer jpeg_with(const Buffer& block) {
  Buffer segment = {0xFF, 0xE1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
  segment.insert(segment.end(), block.begin(), block.end());
  put_be(segment, 2, 2, uint32_t(segment.size() - 2));
  Buffer jpeg = read_picture("full_chroma.jpg");
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

// Where the pixel shown at (x, y) lies in the stored picture of w x h: the definition of EXIF tag 0x0112, which names
// the sides of the scene that row 0 and column 0 hold.
std::pair<int, int> stored_at(int orientation, int x, int y, int w, int h) {
  switch (orientation) {
    case 2:
      return {w - 1 - x, y};
    case 3:
      return {w - 1 - x, h - 1 - y};
    case 4:
      return {x, h - 1 - y};
    case 5:
      return {y, x};
    case 6:
      return {y, h - 1 - x};
    case 7:
      return {w - 1 - y, h - 1 - x};
    case 8:
      return {w - 1 - y, x};
    default:
      return {x, y};
  }
}

class Orientation : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(Orientation, IsApplied) {
  const auto [orientation, little] = GetParam();
  const Image plain = decoded(read_picture("full_chroma.jpg"));
  const Image image = decoded(jpeg_with(tiff({.value = uint32_t(orientation)}, little)));
  const bool turned = orientation >= 5;
  const int width = turned ? kSceneHeight : kSceneWidth;
  const int height = turned ? kSceneWidth : kSceneHeight;
  const int worst = worst_difference(image, width, height, [&, o = orientation](int x, int y) {
    const auto [at_x, at_y] = stored_at(o, x, y, kSceneWidth, kSceneHeight);
    return pixel(plain, at_x, at_y);
  });
  EXPECT_EQ(worst, 0);
}

INSTANTIATE_TEST_SUITE_P(All, Orientation, testing::Combine(testing::Range(1, 9), testing::Bool()),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) +
                                  (std::get<1>(info.param) ? "LittleEndian" : "BigEndian");
                         });

TEST(Exif, PngChunkTurnsThePicture) {
  const Image image = decoded(read_picture("turned.png"));
  const int worst =
      worst_difference(image, kSceneHeight, kSceneWidth, [](int x, int y) { return scene(y, kSceneHeight - 1 - x); });
  EXPECT_EQ(worst, 0);
}

void expect_unturned(const Buffer& block) {
  const Image image = decoded(jpeg_with(block));
  EXPECT_EQ(image.width, kSceneWidth);
  EXPECT_EQ(image.height, kSceneHeight);
  EXPECT_TRUE(std::ranges::equal(image.bytes(), decoded(read_picture("full_chroma.jpg")).bytes()));
}

TEST(Exif, OrientationOutsideOneToEightIsIgnored) {
  for (uint32_t value : {0u, 9u, 65535u}) expect_unturned(tiff({.value = value}, true));
}

TEST(Exif, EntryOfAnotherTypeOrCountIsIgnored) {
  expect_unturned(tiff({.type = 2}, true));
  expect_unturned(tiff({.count = 2}, false));
}

TEST(Exif, DirectoryOutsideTheBlockIsIgnored) {
  for (uint32_t offset : {38u, 39u, 0x7FFFFFFFu, 0xFFFFFFFFu}) expect_unturned(tiff({}, true, offset));
}

TEST(Exif, BlockCutAnywhereBeforeItsValueIsIgnored) {
  const Buffer block = tiff({}, false);
  for (size_t length = 0; length < 32; ++length) {
    expect_unturned(Buffer(block.begin(), block.begin() + int64_t(length)));
  }
}

TEST(Exif, UnknownByteOrderIsIgnored) {
  Buffer block = tiff({}, true);
  block[0] = 'X';
  expect_unturned(block);
}

}  // namespace
}  // namespace moefb::test

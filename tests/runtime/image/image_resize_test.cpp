// The resize rule against torch's interpolate(antialias=True, align_corners=False), whose rounded results
// tests/data/images/make.py stored, and its geometry in cases where each pixel is known.
#include <numeric>

#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

Buffer resize(const Image& image, const Preprocessing& rule) {
  Buffer pixels(size_t(rule.height) * size_t(rule.width) * 3, 0xAA);
  const Status status = resize_and_crop(image, rule, pixels);
  EXPECT_TRUE(status.ok()) << describe(status);
  return pixels;
}

struct Reference {
  const char* source;
  int shorter;  // 0: stretch
  int height;
  int width;
};

class ResizeReference : public testing::TestWithParam<std::tuple<Reference, Filter>> {};

TEST_P(ResizeReference, EqualsTorchWithinRounding) {
  const auto [reference, filter] = GetParam();
  const std::string kind = reference.shorter ? "shorter" + std::to_string(reference.shorter) : "stretch";
  const std::string name = std::string("resize/") + reference.source + "_" + kind + "_" +
                           std::to_string(reference.height) + "x" + std::to_string(reference.width) +
                           (filter == Filter::kBicubic ? "_bicubic.png" : "_bilinear.png");
  const Image expected = decoded(read_picture(name));
  Preprocessing rule;
  rule.height = reference.height;
  rule.width = reference.width;
  rule.resize = reference.shorter ? ResizeRule::kShorterSide : ResizeRule::kStretch;
  rule.resize_to = reference.shorter;
  rule.filter = filter;
  const Buffer found = resize(decoded(read_picture(std::string("resize/") + reference.source + ".png")), rule);

  ASSERT_EQ(found.size(), expected.bytes().size());
  size_t differing = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const int difference = std::abs(int(found[i]) - int(expected.bytes()[i]));
    ASSERT_LE(difference, 1) << name << ", byte " << i;
    differing += difference != 0;
  }
  // Only values within float rounding of a half may fall to the other side.
  EXPECT_LE(differing, found.size() / 100) << name;
}

INSTANTIATE_TEST_SUITE_P(All, ResizeReference,
                         testing::Combine(testing::Values(Reference{"small", 0, 16, 16}, Reference{"small", 0, 43, 61},
                                                          Reference{"small", 0, 23, 9}, Reference{"small", 18, 16, 16},
                                                          Reference{"small", 32, 20, 23},
                                                          Reference{"small", 20, 24, 60}, Reference{"tall", 0, 16, 16},
                                                          Reference{"tall", 0, 43, 61}, Reference{"tall", 0, 23, 9},
                                                          Reference{"tall", 18, 16, 16}, Reference{"tall", 32, 20, 23},
                                                          Reference{"tall", 20, 24, 60}),
                                          testing::Values(Filter::kBilinear, Filter::kBicubic)),
                         [](const auto& info) {
                           const Reference& r = std::get<0>(info.param);
                           return std::string(r.source) +
                                  (r.shorter ? "Shorter" + std::to_string(r.shorter) : "Stretch") + "To" +
                                  std::to_string(r.height) + "x" + std::to_string(r.width) +
                                  (std::get<1>(info.param) == Filter::kBicubic ? "Bicubic" : "Bilinear");
                         });

// A picture whose red tells the column and whose green tells the row, modulo 256.
Image ruler(int width, int height) {
  Image image;
  image.width = width;
  image.height = height;
  image.pixels.reset(new uint8_t[image.bytes().size()]);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* at = image.pixels.get() + (size_t(y) * size_t(width) + size_t(x)) * 3;
      at[0] = uint8_t(x);
      at[1] = uint8_t(y);
      at[2] = 200;
    }
  }
  return image;
}

// A crop without resizing: the shorter side is kept.
Preprocessing crop_only(const Image& image, int height, int width) {
  Preprocessing rule;
  rule.height = height;
  rule.width = width;
  rule.resize_to = std::min(image.width, image.height);
  return rule;
}

TEST(Resize, SameSizeChangesNothing) {
  const Image image = decoded(read_picture("rgb8.png"));
  for (Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
    Preprocessing rule = crop_only(image, image.height, image.width);
    rule.filter = filter;
    EXPECT_TRUE(std::ranges::equal(resize(image, rule), image.bytes()));
  }
}

TEST(Resize, CropStartsAtHalfRoundedToEven) {
  struct Case {
    int width, crop, start;
  };
  for (const Case& c : {Case{6, 5, 0}, Case{7, 4, 2}, Case{8, 3, 2}, Case{10, 3, 4}, Case{12, 3, 4}, Case{9, 4, 2}}) {
    const Image image = ruler(c.width, 3);
    const Buffer pixels = resize(image, crop_only(image, 3, c.crop));
    EXPECT_EQ(pixels[0], c.start) << c.width << " to " << c.crop;
    EXPECT_EQ(pixels[size_t(c.crop - 1) * 3], c.start + c.crop - 1);
  }
}

TEST(Resize, CropBeyondThePictureIsFilledWithZeros) {
  const Image image = ruler(6, 3);
  const Buffer pixels = resize(image, crop_only(image, 6, 9));  // 3 rows and 3 columns too many: 1 before, 2 behind
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 9; ++x) {
      const uint8_t* at = pixels.data() + (y * 9 + x) * 3;
      const bool inside = y >= 1 && y < 4 && x >= 1 && x < 7;
      EXPECT_EQ(at[0], inside ? x - 1 : 0);
      EXPECT_EQ(at[1], inside ? y - 1 : 0);
      EXPECT_EQ(at[2], inside ? 200 : 0);
    }
  }
}

// Resized whole, it would be 426,666 x 256. The centre of the crop shows the centre of the picture.
TEST(Resize, ComputesOnlyTheWindowOfALongPicture) {
  const Image image = ruler(5000, 3);
  Preprocessing rule;
  rule.height = 224;
  rule.width = 224;
  rule.resize_to = 256;
  const Buffer pixels = resize(image, rule);
  const int centre = pixels[(112 * 224 + 112) * 3];
  EXPECT_NEAR(centre, 2500 % 256, 1);
  EXPECT_EQ(pixels[(112 * 224 + 112) * 3 + 1], 1);
  EXPECT_EQ(pixels.back(), 200);
}

TEST(Resize, OnePixelFillsTheOutput) {
  const Image image = ruler(1, 1);
  for (Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
    Preprocessing rule;
    rule.height = 5;
    rule.width = 4;
    rule.resize_to = 7;
    rule.filter = filter;
    const Buffer pixels = resize(image, rule);
    for (size_t i = 0; i < pixels.size(); i += 3) {
      EXPECT_EQ(pixels[i], 0);
      EXPECT_EQ(pixels[i + 2], 200);
    }
  }
}

TEST(Resize, ShrinkingAveragesWithoutBias) {
  Image image = ruler(4096, 2);
  for (int x = 0; x < 4096 * 2; ++x) image.pixels[size_t(x) * 3] = x % 2 ? 255 : 0;
  Preprocessing rule;
  rule.height = 1;
  rule.width = 8;
  rule.resize = ResizeRule::kStretch;
  const Buffer pixels = resize(image, rule);
  for (size_t x = 0; x < 8; ++x) EXPECT_NEAR(pixels[x * 3], 127.5, 0.5);
}

TEST(Resize, RefusesWhatCannotBe) {
  const Image image = ruler(4, 4);
  Buffer pixels(3 * 3 * 3);
  const auto code = [&](const Image& source, Preprocessing rule) {
    return resize_and_crop(source, rule, pixels).code();
  };
  const Preprocessing good = crop_only(image, 3, 3);
  EXPECT_EQ(code(image, good), Code::kOk);
  EXPECT_EQ(code(Image(), good), Code::kInvalidArgument);
  Preprocessing rule = good;
  rule.resize_to = 0;
  EXPECT_EQ(code(image, rule), Code::kInvalidArgument);
  rule = good;
  rule.height = 0;
  EXPECT_EQ(code(image, rule), Code::kInvalidArgument);
  rule = good;
  rule.width = 4;  // the span holds 3 x 3
  EXPECT_EQ(code(image, rule), Code::kInvalidArgument);
}

}  // namespace
}  // namespace moefb::test

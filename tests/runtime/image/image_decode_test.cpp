// Every kind of file that is answered, against the scene or against what libjpeg makes of it.
#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

struct Lossless {
  const char* name;
  Pixel (*expected)(int x, int y);
};

Pixel full(int x, int y) {
  return scene(x, y);
}
Pixel colours96(int x, int y) {
  return scene(x, y, 2, 2);
}
Pixel colours16(int x, int y) {
  return scene(x, y, 6, 4);
}
Pixel red_as_grey(int x, int y) {
  return {scene(x, y)[0], scene(x, y)[0], scene(x, y)[0]};
}
Pixel checker(int x, int y) {
  return (x + y) % 2 ? Pixel{255, 255, 255} : Pixel{0, 0, 0};
}

Pixel rgb565(int x, int y) {
  const Pixel p = scene(x, y);
  const int r = p[0] >> 3;
  const int g = p[1] >> 2;
  const int b = p[2] >> 3;
  return {r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2};
}

class LosslessPicture : public testing::TestWithParam<Lossless> {};

TEST_P(LosslessPicture, ShowsTheScene) {
  const Image image = decoded(read_picture(GetParam().name));
  EXPECT_EQ(worst_difference(image, kSceneWidth, kSceneHeight, GetParam().expected), 0);
}

std::string name_of(std::string file) {
  std::replace_if(
      file.begin(), file.end(), [](char c) { return !std::isalnum(uint8_t(c)); }, '_');
  return file;
}

INSTANTIATE_TEST_SUITE_P(All, LosslessPicture,
                         testing::Values(Lossless{"rgb8.png", full}, Lossless{"rgb16.png", full},
                                         Lossless{"rgb8_interlaced.png", full}, Lossless{"rgba8.png", full},
                                         Lossless{"rgba16_interlaced.png", full}, Lossless{"grey1.png", checker},
                                         Lossless{"grey8.png", red_as_grey}, Lossless{"grey16.png", red_as_grey},
                                         Lossless{"grey_alpha8.png", red_as_grey}, Lossless{"palette8.png", colours96},
                                         Lossless{"palette4.png", colours16}, Lossless{"palette4_alpha.png", colours16},
                                         Lossless{"palette.gif", colours96}, Lossless{"interlaced.gif", colours96},
                                         Lossless{"animated.gif", colours96}, Lossless{"rgb24.bmp", full},
                                         Lossless{"rgb24_top_down.bmp", full}, Lossless{"rgb32.bmp", full},
                                         Lossless{"rgb565.bmp", rgb565}, Lossless{"palette8.bmp", colours96},
                                         Lossless{"palette1.bmp", checker}),
                         [](const auto& info) { return name_of(info.param.name); });

class LossyPicture : public testing::TestWithParam<const char*> {};

// stb_image and libjpeg round differently in the transform, in chroma and in CMYK: 3 units, measured, on 2 % of values.
TEST_P(LossyPicture, AgreesWithLibjpeg) {
  const std::string name = GetParam();
  const Image reference = decoded(read_picture(name + ".png"));
  const Image image = decoded(read_picture(name));
  const int worst =
      worst_difference(image, kSceneWidth, kSceneHeight, [&](int x, int y) { return pixel(reference, x, y); });
  EXPECT_GE(worst, 0);
  EXPECT_LE(worst, 3);
}

INSTANTIATE_TEST_SUITE_P(All, LossyPicture,
                         testing::Values("baseline.jpg", "full_chroma.jpg", "progressive.jpg", "restarts.jpg",
                                         "grey.jpg", "cmyk.jpg"),
                         [](const auto& info) { return name_of(info.param); });

TEST(Decode, TellsTheFormatByContentNotByName) {
  const Image by_png_name = decoded(read_picture("jpeg_called.png"));
  const Image jpeg = decoded(read_picture("baseline.jpg"));
  EXPECT_TRUE(std::ranges::equal(by_png_name.bytes(), jpeg.bytes()));
}

TEST(Decode, AnswersOnePixel) {
  const Image image = decoded(read_picture("one_pixel.png"));
  EXPECT_EQ(worst_difference(image, 1, 1, [](int, int) { return Pixel{1, 2, 3}; }), 0);
}

TEST(Decode, ToleratesBytesBehindTheEnd) {
  for (const char* name : {"rgb8.png", "baseline.jpg", "palette.gif", "rgb24.bmp"}) {
    Buffer bytes = read_picture(name);
    bytes.insert(bytes.end(), 1000, 0xFF);
    EXPECT_TRUE(decode(bytes).ok()) << name;
  }
}

// Every block is two zero bits: no change of the DC value, end of block.
Buffer uniform_jpeg(int side, size_t data_bytes) {
  return grey_jpeg(side, 1, 0, Buffer(data_bytes, 0));
}

TEST(Decode, AnswersTheSmallestJpegOf8000x8000) {
  const Image image = decoded(uniform_jpeg(8000, 250'000));
  ASSERT_EQ(image.width, 8000);
  ASSERT_EQ(image.height, 8000);
  EXPECT_EQ(pixel(image, 0, 0), (Pixel{128, 128, 128}));
  EXPECT_EQ(pixel(image, 7999, 7999), (Pixel{128, 128, 128}));
}

TEST(Decode, RefusesJpegWithLessDataThanItsBlocksNeed) {
  const Result<Image> image = decode(uniform_jpeg(8000, 249'999));
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.status().code(), Code::kCorruptFile);
  EXPECT_EQ(image.status().found(), 249'999);
  EXPECT_EQ(image.status().expected(), 250'000);
}

TEST(Decode, AnswersAPngOf8000x8000InFewBytes) {
  const Image image = decoded(read_picture("large_8000x8000.png"));
  ASSERT_EQ(image.width, 8000);
  ASSERT_EQ(image.height, 8000);
  EXPECT_EQ(pixel(image, 7999, 7999), (Pixel{0, 0, 0}));
}

}  // namespace
}  // namespace moefb::test

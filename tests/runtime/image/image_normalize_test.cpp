#include <cmath>
#include <limits>

#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

Preprocessing rule_2x3() {
  Preprocessing rule;
  rule.height = 2;
  rule.width = 3;
  rule.resize = ResizeRule::kStretch;
  const float mean[] = {0.485f, 0.456f, 0.406f};
  const float stddev[] = {0.229f, 0.224f, 0.225f};
  std::copy_n(mean, 3, rule.mean);
  std::copy_n(stddev, 3, rule.stddev);
  return rule;
}

Buffer some_pixels() {
  Buffer pixels(2 * 3 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = uint8_t(i * 15);  // 0 to 255
  return pixels;
}

TEST(Normalize, MakesPlanesOfStandardisedValues) {
  const Preprocessing rule = rule_2x3();
  const Buffer pixels = some_pixels();
  std::vector<float> planes(pixels.size());
  ASSERT_TRUE(normalize(pixels, rule, planes).ok());
  for (size_t i = 0; i < 6; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const double expected = (pixels[i * 3 + c] / 255.0 - rule.mean[c]) / rule.stddev[c];
      EXPECT_NEAR(planes[c * 6 + i], expected, 4 * std::numeric_limits<float>::epsilon() * 4);
    }
  }
}

TEST(Normalize, RefusesSpansOfAnotherSize) {
  const Buffer pixels = some_pixels();
  std::vector<float> planes(pixels.size());
  const Preprocessing rule = rule_2x3();
  EXPECT_EQ(normalize(std::span(pixels).first(17), rule, planes).code(), Code::kInvalidArgument);
  EXPECT_EQ(normalize(pixels, rule, std::span(planes).first(17)).code(), Code::kInvalidArgument);
}

TEST(Normalize, RefusesDeviationsThatDivideByZero) {
  const Buffer pixels = some_pixels();
  std::vector<float> planes(pixels.size());
  for (float bad : {0.0f, std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Preprocessing rule = rule_2x3();
    rule.stddev[2] = bad;
    const Status status = normalize(pixels, rule, planes);
    EXPECT_EQ(status.code(), Code::kInvalidArgument);
    EXPECT_EQ(status.where(), 2);
  }
}

TEST(Preprocess, IsResizeThenNormalize) {
  const Image image = decoded(read_picture("rgb8.png"));
  Preprocessing rule = rule_2x3();
  rule.height = 5;
  rule.width = 7;
  Buffer pixels(5 * 7 * 3);
  std::vector<float> in_two_steps(pixels.size());
  std::vector<float> at_once(pixels.size());
  ASSERT_TRUE(resize_and_crop(image, rule, pixels).ok());
  ASSERT_TRUE(normalize(pixels, rule, in_two_steps).ok());
  ASSERT_TRUE(preprocess(image, rule, at_once).ok());
  EXPECT_EQ(at_once, in_two_steps);
}

TEST(Preprocess, RefusesOutputOfAnotherSize) {
  const Image image = decoded(read_picture("rgb8.png"));
  std::vector<float> planes(17);
  EXPECT_EQ(preprocess(image, rule_2x3(), planes).code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace moefb::test

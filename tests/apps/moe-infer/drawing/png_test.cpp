#include "apps/moe-infer/drawing/png.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "moefb/image.h"

namespace moefb::drawing {
namespace {

Canvas some_canvas() {
  Canvas canvas(37, 23, {250, 240, 230});
  canvas.fill({3.3f, 4.1f, 30.7f, 19.9f}, {10, 90, 200}, 0.7f, 5);
  canvas.hatch({10, 10, 37, 23}, 5, 1.5f, {0, 0, 0});
  return canvas;
}

TEST(Png, OurOwnDecoderReadsTheSamePixelsBack) {
  const Canvas canvas = some_canvas();
  const Result<Image> image = decode_image(encode_png(canvas));
  ASSERT_TRUE(image.ok()) << image.status().text();
  EXPECT_EQ(image->width, 37);
  EXPECT_EQ(image->height, 23);
  EXPECT_TRUE(std::equal(canvas.pixels().begin(), canvas.pixels().end(), image->bytes().begin()));
}

TEST(Png, SamePixelsGiveTheSameBytes) {
  EXPECT_EQ(encode_png(some_canvas()), encode_png(some_canvas()));
}

}  // namespace
}  // namespace moefb::drawing

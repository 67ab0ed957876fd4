#include "apps/moe-infer/drawing/routing_sheet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "apps/moe-infer/drawing/palette.h"
#include "apps/moe-infer/drawing/png.h"
#include "sheets.h"

namespace moefb::drawing {
namespace {

RoutingSheet with_layers(int layers, int experts) {
  RoutingSheet sheet = sheet_of(64, 64, 6);
  for (int i = 0; i < layers; ++i) {
    std::vector<int64_t> expert;
    for (int n = 0; n < 16; ++n) expert.push_back((n + i) % (experts + 1) - 1);
    sheet.layers.push_back(map_of(expert, 4, 4, 16, experts));
  }
  return sheet;
}

int pixels_of(const Canvas& canvas, Colour colour) {
  int count = 0;
  for (int y = 0; y < canvas.height(); ++y) {
    for (int x = 0; x < canvas.width(); ++x) count += canvas.at(x, y) == colour;
  }
  return count;
}

TEST(RoutingSheet, HasRoomForEveryPanel) {
  for (const int layers : {1, 2, 5, 9, 30}) {
    const RoutingSheet sheet = with_layers(layers, 4);
    const Canvas canvas = draw_routing_sheet(sheet);
    EXPECT_GE(int64_t(canvas.width()) * canvas.height(), int64_t(layers + 1) * sheet.view_width * sheet.view_height);
    EXPECT_GT(canvas.width(), sheet.view_width);
    EXPECT_LT(canvas.width(), 6 * canvas.height());
    EXPECT_LT(canvas.height(), 6 * canvas.width());
  }
}

TEST(RoutingSheet, FirstPanelShowsThePlainView) {
  RoutingSheet sheet = with_layers(2, 4);
  for (size_t i = 0; i < sheet.view.size(); i += 3) sheet.view[i] = 3, sheet.view[i + 1] = 77, sheet.view[i + 2] = 201;
  const Canvas canvas = draw_routing_sheet(sheet);
  EXPECT_EQ(pixels_of(canvas, {3, 77, 201}), sheet.view_width * sheet.view_height);
}

TEST(RoutingSheet, EveryExpertAppears) {
  for (const int experts : {1, 4, 8, 16}) {
    const Canvas canvas = draw_routing_sheet(with_layers(5, experts));
    for (int e = 0; e < std::min(experts, 15); ++e) EXPECT_GT(pixels_of(canvas, expert_colour(e)), 200) << e;
  }
}

TEST(RoutingSheet, TextsChangeThePicture) {
  RoutingSheet sheet = with_layers(1, 2);
  const std::vector<std::byte> before = encode_png(draw_routing_sheet(sheet));
  for (std::string* text : {&sheet.title, &sheet.title_note, &sheet.caption}) {
    const std::string old = *text;
    *text += "x";
    EXPECT_NE(encode_png(draw_routing_sheet(sheet)), before) << old;
    *text = old;
  }
  EXPECT_EQ(encode_png(draw_routing_sheet(sheet)), before);
}

TEST(RoutingSheet, LongNamesAndOddShapesFit) {
  RoutingSheet sheet = sheet_of(8, 512, 1);
  sheet.title = std::string(500, 'W');
  sheet.caption = std::string(500, 'm');
  sheet.layers.push_back(map_of(std::vector<int64_t>(32, 0), 1, 32, 16, 1));
  const Canvas canvas = draw_routing_sheet(sheet);
  EXPECT_LT(canvas.width(), 3 * 512);
  for (int y = 0; y < canvas.height(); ++y) EXPECT_EQ(canvas.at(canvas.width() - 1, y), (Colour{255, 255, 255}));
}

}  // namespace
}  // namespace moefb::drawing

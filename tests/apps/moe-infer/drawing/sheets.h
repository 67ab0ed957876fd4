// Routing sheets to test with.
#pragma once

#include "apps/moe-infer/drawing/routing_sheet.h"

namespace moefb::drawing {

/// A layer whose patches go to the given experts.
inline ExpertMap map_of(std::vector<int64_t> expert, int64_t rows, int64_t columns, double cell, int experts) {
  ExpertMap map;
  map.channels = 8;
  map.rows = rows;
  map.columns = columns;
  map.cell = cell;
  map.patch = int64_t(cell) / 2;
  map.height = rows * map.patch;
  map.width = columns * map.patch;
  map.experts = experts;
  map.capacity = int64_t(expert.size());
  map.expert = std::move(expert);
  return map;
}

/// A grey picture of height x width input pixels shown `scale` times as large, with no layers yet.
inline RoutingSheet sheet_of(int height, int width, int scale) {
  RoutingSheet sheet;
  sheet.title = "heart";
  sheet.title_note = "98.7 %";
  sheet.caption = "heart.png";
  sheet.input_height = height;
  sheet.input_width = width;
  sheet.view_height = height * scale;
  sheet.view_width = width * scale;
  sheet.view.assign(size_t(sheet.view_height) * size_t(sheet.view_width) * 3, uint8_t{128});
  return sheet;
}

}  // namespace moefb::drawing

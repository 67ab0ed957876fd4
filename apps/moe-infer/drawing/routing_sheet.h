// The routing picture: what a model sees of a picture, patch by patch in the colour of the expert that took it, once
// for each MoE layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/moe-infer/drawing/canvas.h"

namespace moefb::drawing {

inline constexpr int kDropped = -1;

/// Where one MoE layer sent the patches of one picture.
struct ExpertMap {
  int layer = 0;  ///< as published
  int64_t channels = 0;
  int64_t height = 0;  ///< of the layer's map
  int64_t width = 0;
  int64_t patch = 1;  ///< side, in steps of the map
  int64_t rows = 0;   ///< of patches
  int64_t columns = 0;
  double cell = 1;  ///< a patch's side in pixels of the model's input; the last ones may reach beyond it
  int experts = 0;
  int64_t capacity = 0;         ///< patches that one expert can take; as many as there are: no limit
  std::vector<int64_t> expert;  ///< (rows * columns), kDropped where none took the patch
};

/// Everything the sheet shows.
struct RoutingSheet {
  std::string title;       ///< the class
  std::string title_note;  ///< its probability
  std::string caption;     ///< picture and model
  int input_height = 0;    ///< of the model
  int input_width = 0;
  int view_height = 0;  ///< of `view`: the model's view at a resolution for people
  int view_width = 0;
  std::vector<uint8_t> view;  ///< (view_height, view_width, 3)
  std::vector<ExpertMap> layers;
};

/// The plain picture with the totals of all layers, then a panel for each layer.
Canvas draw_routing_sheet(const RoutingSheet& sheet);

}  // namespace moefb::drawing

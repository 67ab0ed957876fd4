// A picture's patches in the colours of their experts.
#pragma once

#include "apps/moe-infer/drawing/routing_sheet.h"

namespace moefb::drawing {

/// Where patch (row, column) lies in a view of the model's input at (left, top), cut at the view's border and set to
/// whole pixels, so that neighbours meet without a seam. Empty where the patch covers only padding.
Rect patch_rect(const RoutingSheet& sheet, const ExpertMap& map, int64_t row, int64_t column, float left, float top);

/// The look of a dropped patch or a bar that counts them.
void fill_dropped(Canvas& canvas, const Rect& rect, float unit);

/// Tints, borders and numbers of all patches over the view, which is on the canvas at (left, top) already.
void draw_expert_tint(Canvas& canvas, const RoutingSheet& sheet, const ExpertMap& map, float left, float top,
                      float unit);

}  // namespace moefb::drawing

#include "apps/moe-infer/drawing/routing_sheet.h"

#include <algorithm>
#include <cmath>

#include "apps/moe-infer/drawing/expert_tint.h"
#include "apps/moe-infer/drawing/font.h"
#include "apps/moe-infer/drawing/theme.h"
#include "apps/moe-infer/drawing/token_chart.h"

namespace moefb::drawing {
namespace {

constexpr const char* kTimes = " \xc3\x97 ";
constexpr float kPanel = 360;  // pixels of a view's longer side at unit 1

// Distances at unit 1.
constexpr float kMargin = 28;
constexpr float kGutter = 24;
constexpr float kTitle = 64;
constexpr float kHeading = 26;
constexpr float kChart = 84;
constexpr float kFooter = 26;
constexpr double kAspect = 1.5;  // of the sheet: what a page or screen shows well

std::string number(int64_t n) {
  return std::to_string(n);
}

/// Rows first, as in the shape of a map.
std::string grid(int64_t rows, int64_t columns) {
  return number(rows) + kTimes + number(columns);
}

TokenCounts counts_of(const ExpertMap& map) {
  TokenCounts counts;
  counts.per_expert.resize(size_t(map.experts));
  for (const int64_t expert : map.expert) ++(expert == kDropped ? counts.dropped : counts.per_expert[size_t(expert)]);
  if (map.capacity < int64_t(map.expert.size())) counts.capacity = map.capacity;
  return counts;
}

TokenCounts total(const std::vector<ExpertMap>& layers) {
  TokenCounts sum;
  for (const ExpertMap& map : layers) {
    const TokenCounts counts = counts_of(map);
    sum.per_expert.resize(std::max(sum.per_expert.size(), counts.per_expert.size()));
    for (size_t e = 0; e < counts.per_expert.size(); ++e) sum.per_expert[e] += counts.per_expert[e];
    sum.dropped += counts.dropped;
  }
  return sum;
}

class Sheet {
 public:
  explicit Sheet(const RoutingSheet& sheet)
      : sheet_(sheet),
        unit_(float(std::max(sheet.view_width, sheet.view_height)) / kPanel),
        panels_(int(sheet.layers.size()) + 1),
        columns_(best_columns()),
        canvas_(sheet_width(columns_), sheet_height(rows(columns_)), kPaper) {}

  Canvas draw() {
    draw_title();
    draw_plain_panel();
    for (size_t i = 0; i < sheet_.layers.size(); ++i) draw_layer_panel(int(i) + 1, sheet_.layers[i]);
    draw_footer();
    return std::move(canvas_);
  }

 private:
  /// On whole pixels, so that pictures and hairlines are sharp.
  float px(float distance) const { return std::round(distance * unit_); }
  int rows(int columns) const { return (panels_ + columns - 1) / columns; }
  float panel_height() const { return px(kHeading) + float(sheet_.view_height) + px(kChart); }
  int sheet_width(int columns) const {
    return int(2 * px(kMargin) + float(columns * sheet_.view_width) + float(columns - 1) * px(kGutter));
  }
  int sheet_height(int rows) const {
    return int(2 * px(kMargin) + px(kTitle) + float(rows) * panel_height() + float(rows - 1) * px(kGutter) +
               px(kFooter));
  }

  /// As few empty places as possible, then the aspect nearest to kAspect.
  int best_columns() const {
    int best = 1;
    double best_cost = INFINITY;
    for (int c = 1; c <= panels_; ++c) {
      const double aspect = double(sheet_width(c)) / double(sheet_height(rows(c)));
      const double cost = std::fabs(std::log(aspect / kAspect)) + 0.15 * (rows(c) * c - panels_);
      if (cost < best_cost) best_cost = cost, best = c;
    }
    return best;
  }

  TextStyle text(float size, Colour colour, Weight weight = Weight::kRegular) const {
    return {.size = size * unit_, .colour = colour, .weight = weight};
  }

  void draw_title() {
    const TextStyle title = text(27, kInk, Weight::kMedium), note = text(27, kNote), caption = text(13, kNote);
    const float room = float(canvas_.width()) - 2 * px(kMargin), gap = px(12);
    const float note_width = text_width(sheet_.title_note, note);
    const std::string name = shortened(sheet_.title, title, room - note_width - gap);
    draw_text(canvas_, px(kMargin), px(kMargin) + px(20), name, title);
    draw_text(canvas_, px(kMargin) + text_width(name, title) + gap, px(kMargin) + px(20), sheet_.title_note, note);
    draw_text(canvas_, px(kMargin), px(kMargin) + px(43), shortened(sheet_.caption, caption, room), caption);
  }

  struct Place {
    float left;
    float top;
  };
  Place place(int panel) const {
    const int row = panel / columns_, column = panel % columns_;
    return {px(kMargin) + float(column) * (float(sheet_.view_width) + px(kGutter)),
            px(kMargin) + px(kTitle) + float(row) * (panel_height() + px(kGutter))};
  }

  void draw_heading(const Place& at, const std::string& name, const std::string& note) {
    const float baseline = at.top + px(kHeading) - px(9), width = float(sheet_.view_width);
    const TextStyle left = text(15, kInk, Weight::kMedium), right = text(11.5f, kNote);
    draw_text(canvas_, at.left, baseline, name, left);
    const float room = width - text_width(name, left) - px(10);
    draw_text(canvas_, at.left + width, baseline, shortened(note, right, room), right, Align::kRight);
  }

  void draw_view(const Place& at) {
    canvas_.picture(int(at.left), int(at.top + px(kHeading)), sheet_.view_width, sheet_.view_height, sheet_.view);
  }

  void draw_chart(const Place& at, const TokenCounts& counts) {
    const float top = at.top + px(kHeading) + float(sheet_.view_height);
    draw_token_chart(canvas_, {at.left, top, at.left + float(sheet_.view_width), top + px(kChart)}, counts, unit_);
  }

  void draw_plain_panel() {
    const Place at = place(0);
    draw_heading(at, "all layers", grid(sheet_.input_height, sheet_.input_width) + " pixels seen");
    draw_view(at);
    draw_chart(at, total(sheet_.layers));
  }

  void draw_layer_panel(int panel, const ExpertMap& map) {
    const Place at = place(panel);
    draw_heading(at, "layer " + number(map.layer),
                 "map " + number(map.channels) + kTimes + grid(map.height, map.width) + ", P = " + number(map.patch) +
                     ", " + grid(map.rows, map.columns) + " patches");
    draw_view(at);
    draw_expert_tint(canvas_, sheet_, map, at.left, at.top + px(kHeading), unit_);
    draw_chart(at, counts_of(map));
  }

  void draw_footer() {
    const float baseline = float(canvas_.height()) - px(kMargin), size = px(12);
    const TextStyle style = text(12, kNote);
    float x = px(kMargin);
    const Rect swatch{x, baseline - size + px(2), x + px(18), baseline + px(2)};
    fill_dropped(canvas_, swatch, unit_);
    canvas_.frame(swatch, std::max(1.0f, px(1)), kLine);
    x += px(25);
    const std::string text =
        "dropped: no room left at its expert, so the patch passes unchanged.   Bars: patches of each expert; "
        "dashed: its capacity.";
    draw_text(canvas_, x, baseline, shortened(text, style, float(canvas_.width()) - px(kMargin) - x), style);
  }

  const RoutingSheet& sheet_;
  float unit_;
  int panels_;
  int columns_;
  Canvas canvas_;
};

}  // namespace

Canvas draw_routing_sheet(const RoutingSheet& sheet) {
  return Sheet(sheet).draw();
}

}  // namespace moefb::drawing

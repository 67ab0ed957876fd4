// An 8-bit RGB picture to draw on, with anti-aliased shapes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace moefb::drawing {

struct Colour {
  uint8_t red = 0;
  uint8_t green = 0;
  uint8_t blue = 0;

  friend bool operator==(const Colour&, const Colour&) = default;
};

/// `share` of `b`, the rest of `a`, as stored (without gamma), as all blending here.
Colour mix(Colour a, Colour b, float share);
/// Perceived brightness, 0 to 255.
float luma(Colour colour);

/// Pixel edges: (0, 0) is the top left corner of the top left pixel.
struct Rect {
  float left = 0;
  float top = 0;
  float right = 0;
  float bottom = 0;

  float width() const { return right - left; }
  float height() const { return bottom - top; }
  bool empty() const { return right <= left || bottom <= top; }
  /// Smaller by `by` on every side; larger if that is negative.
  Rect inset(float by) const { return {left + by, top + by, right - by, bottom - by}; }
};

/// All shapes are cut at the canvas' borders.
class Canvas {
 public:
  Canvas(int width, int height, Colour background);

  int width() const { return width_; }
  int height() const { return height_; }
  std::span<const uint8_t> pixels() const { return pixels_; }  ///< (height, width, 3)

  Colour at(int x, int y) const;
  /// Mixes a share of `colour` into one pixel; outside the canvas nothing happens.
  void blend(int x, int y, Colour colour, float share);

  /// A filled rectangle with round corners.
  void fill(const Rect& rect, Colour colour, float opacity = 1, float radius = 0);
  /// Its outline, `thickness` wide, inside the rectangle.
  void frame(const Rect& rect, float thickness, Colour colour, float opacity = 1, float radius = 0);
  /// Diagonal stripes in a rectangle, rising to the right; `period` and `thickness` across the stripes. They run on
  /// from one rectangle to the next.
  void hatch(const Rect& rect, float period, float thickness, Colour colour, float opacity = 1);
  /// A picture whose top left corner comes to (left, top). @param pixels  (height, width, 3)
  void picture(int left, int top, int width, int height, std::span<const uint8_t> pixels);
  /// Replaces every pixel whose centre lies in `rect` by what `change` makes of it.
  template <typename Change>
  void recolour(const Rect& rect, Change change) {
    const Pixels p = cover(rect);
    for (int y = p.top; y < p.bottom; ++y) {
      for (int x = p.left; x < p.right; ++x) set(x, y, change(at(x, y)));
    }
  }

 private:
  struct Pixels {
    int left;
    int top;
    int right;
    int bottom;
  };
  /// Pixels whose centres lie in `rect`.
  Pixels cover(const Rect& rect) const;
  void set(int x, int y, Colour colour);

  int width_;
  int height_;
  std::vector<uint8_t> pixels_;
};

}  // namespace moefb::drawing

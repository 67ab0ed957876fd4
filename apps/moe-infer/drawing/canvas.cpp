// Anti-aliasing by signed distance: a pixel is covered by 0.5 - distance of its centre to the shape, clamped. Exact for
// straight edges on whole pixels, and within a few percent elsewhere.
#include "apps/moe-infer/drawing/canvas.h"

#include <algorithm>
#include <cmath>

namespace moefb::drawing {
namespace {

uint8_t mix(uint8_t a, uint8_t b, float share) {
  return uint8_t(std::lround(float(a) + (float(b) - float(a)) * share));
}

/// From the outline of a rectangle with round corners; negative inside.
float distance(const Rect& r, float radius, float x, float y) {
  const float dx = std::fabs(x - (r.left + r.right) / 2) - r.width() / 2 + radius;
  const float dy = std::fabs(y - (r.top + r.bottom) / 2) - r.height() / 2 + radius;
  return std::hypot(std::max(dx, 0.0f), std::max(dy, 0.0f)) + std::min(std::max(dx, dy), 0.0f) - radius;
}

float coverage(float distance) {
  return std::clamp(0.5f - distance, 0.0f, 1.0f);
}

int clamped(float value, int limit) {
  return int(std::clamp(value, 0.0f, float(limit)));
}

}  // namespace

Colour mix(Colour a, Colour b, float share) {
  return {mix(a.red, b.red, share), mix(a.green, b.green, share), mix(a.blue, b.blue, share)};
}

float luma(Colour colour) {
  return 0.299f * float(colour.red) + 0.587f * float(colour.green) + 0.114f * float(colour.blue);
}

Canvas::Canvas(int width, int height, Colour background)
    : width_(width), height_(height), pixels_(size_t(width) * size_t(height) * 3) {
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) set(x, y, background);
  }
}

Colour Canvas::at(int x, int y) const {
  const uint8_t* p = pixels_.data() + (size_t(y) * size_t(width_) + size_t(x)) * 3;
  return {p[0], p[1], p[2]};
}

void Canvas::set(int x, int y, Colour colour) {
  uint8_t* p = pixels_.data() + (size_t(y) * size_t(width_) + size_t(x)) * 3;
  p[0] = colour.red;
  p[1] = colour.green;
  p[2] = colour.blue;
}

void Canvas::blend(int x, int y, Colour colour, float share) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_ || share <= 0) return;
  set(x, y, drawing::mix(at(x, y), colour, std::min(share, 1.0f)));
}

Canvas::Pixels Canvas::cover(const Rect& rect) const {
  return {clamped(std::round(rect.left), width_), clamped(std::round(rect.top), height_),
          clamped(std::round(rect.right), width_), clamped(std::round(rect.bottom), height_)};
}

void Canvas::fill(const Rect& rect, Colour colour, float opacity, float radius) {
  const Pixels p = cover(rect.inset(-1));
  for (int y = p.top; y < p.bottom; ++y) {
    for (int x = p.left; x < p.right; ++x) {
      blend(x, y, colour, opacity * coverage(distance(rect, radius, float(x) + 0.5f, float(y) + 0.5f)));
    }
  }
}

void Canvas::frame(const Rect& rect, float thickness, Colour colour, float opacity, float radius) {
  const Pixels p = cover(rect.inset(-1));
  for (int y = p.top; y < p.bottom; ++y) {
    for (int x = p.left; x < p.right; ++x) {
      const float d = distance(rect, radius, float(x) + 0.5f, float(y) + 0.5f);
      blend(x, y, colour, opacity * (coverage(d) - coverage(d + thickness)));
    }
  }
}

void Canvas::hatch(const Rect& rect, float period, float thickness, Colour colour, float opacity) {
  const Pixels p = cover(rect);
  for (int y = p.top; y < p.bottom; ++y) {
    for (int x = p.left; x < p.right; ++x) {
      const float across = float(x + y + 1) / std::sqrt(2.0f);  // of the pixel's centre, across the stripes
      const float from_middle = std::fabs(across - period * std::round(across / period));
      blend(x, y, colour, opacity * coverage(from_middle - thickness / 2));
    }
  }
}

void Canvas::picture(int left, int top, int width, int height, std::span<const uint8_t> pixels) {
  for (int y = std::max(0, -top); y < std::min(height, height_ - top); ++y) {
    for (int x = std::max(0, -left); x < std::min(width, width_ - left); ++x) {
      const uint8_t* p = pixels.data() + (size_t(y) * size_t(width) + size_t(x)) * 3;
      set(left + x, top + y, {p[0], p[1], p[2]});
    }
  }
}

}  // namespace moefb::drawing

// A scene to pixels: background, clutter, shadow, object, noise. Edges are antialiased by distance: a pixel whose
// centre lies d inside an outline is covered by d / (width of a pixel) + 1/2 of its area, cut to 0..1.
#include <algorithm>
#include <cmath>

#include "trainer/data/scene.h"

namespace moefb::trainer {
namespace {

constexpr Point kShadowOffset{0.07f, 0.11f};
constexpr float kShadowBlur = 0.12f;

float coverage(float distance, float pixel) {
  return std::clamp(0.5f - distance / pixel, 0.0f, 1.0f);
}

/// Half of the time 0, half of the time 1, with edges as wide as a pixel.
float stripe(float along, float period, float pixel) {
  const float phase = along / period - std::floor(along / period);
  return coverage((std::abs(phase - 0.5f) - 0.25f) * period, pixel);
}

Colour background_at(const Background& background, Point p, float pixel) {
  const float along = dot(p, background.direction);
  const float across = dot(p, Point{-background.direction.y, background.direction.x});
  float share = 0;
  switch (background.pattern) {
    case Background::Pattern::kPlain:
      break;
    case Background::Pattern::kGradient:
      share = std::clamp(0.5f + 0.4f * along, 0.0f, 1.0f);
      break;
    case Background::Pattern::kStripes:
      share = stripe(along, background.period, pixel);
      break;
    case Background::Pattern::kChecks: {
      const float a = stripe(along, background.period, pixel);
      const float b = stripe(across, background.period, pixel);
      share = a + b - 2 * a * b;
      break;
    }
  }
  return mix(background.first, background.second, share);
}

Point to_object(const Object& object, Point p) {
  const Point q = (p - object.centre) * (1 / object.radius);
  return {q.x * object.down.y - q.y * object.down.x, q.x * object.down.x + q.y * object.down.y};
}

/// Distance of q (from to_object) to the outline in lengths of the picture. Far away a lower bound does, and is faster:
/// nothing looks further than half a pixel of the smallest picture (1/16).
float distance_to(const Object& object, Point q) {
  const float at_least = (length(q) - 1.1f) * object.radius;  // outlines lie within the unit circle
  return at_least > 0.1f ? at_least : signed_distance(object.shape, q) * object.radius;
}

Colour with_shadow(const Object& object, Point p, Colour behind) {
  if (object.shadow <= 0) return behind;
  const float distance = distance_to(object, to_object(object, p - kShadowOffset));
  return mix(behind, kBlack, object.shadow * coverage(distance, kShadowBlur));
}

Colour with_object(const Object& object, Point p, float pixel, Colour behind) {
  const Point q = to_object(object, p);
  const float distance = distance_to(object, q);
  const float body = coverage(distance, pixel);
  const float core = coverage(distance + object.line * object.radius, pixel);
  const Colour fill = mix(object.fill, kBlack, object.shading * std::clamp(0.5f + 0.5f * q.y, 0.0f, 1.0f));
  switch (object.style) {
    case Object::Style::kFilled:
      return mix(behind, fill, body);
    case Object::Style::kBordered:
      return mix(mix(behind, object.border, body), fill, core);
    case Object::Style::kHollow:
      return mix(behind, fill, body - core);
  }
  return behind;
}

/// Nearly normal, mean 0, standard deviation 1: four 16-bit numbers of one draw, added up.
float draw_noise(Random& random) {
  const uint64_t bits = random.next();
  const int sum = int(bits & 0xffff) + int(bits >> 16 & 0xffff) + int(bits >> 32 & 0xffff) + int(bits >> 48);
  return float(sum - 2 * 0xffff) * (1.7320508f / 0x10000);  // one of them has variance 2^32 / 12
}

uint8_t to_byte(float channel) {
  return uint8_t(std::clamp(channel, 0.0f, 1.0f) * 255 + 0.5f);
}

}  // namespace

void paint(const Scene& scene, int width, int height, std::span<uint8_t> pixels) {
  const float pixel = 2 / float(std::min(width, height));
  Random noise(scene.noise_seed, Stream::kNoise, 0);
  uint8_t* dst = pixels.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Point p{(float(x) + 0.5f - 0.5f * float(width)) * pixel, (float(y) + 0.5f - 0.5f * float(height)) * pixel};
      Colour colour = background_at(scene.background, p, pixel);
      for (int i = 0; i < scene.mark_count; ++i) {
        const Mark& mark = scene.marks[size_t(i)];
        const float distance = segment_distance(p, mark.from, mark.to) - mark.radius;
        colour = mix(colour, mark.colour, mark.opacity * coverage(distance, pixel));
      }
      colour = with_object(scene.object, p, pixel, with_shadow(scene.object, p, colour));
      for (const float channel : {colour.red, colour.green, colour.blue}) {
        *dst++ = to_byte(channel + scene.noise * draw_noise(noise));
      }
    }
  }
}

}  // namespace moefb::trainer

// What varies between the pictures of `shapes`, and how far. Where it costs nothing, a number is drawn whether or
// not it is used, so that a change of one range leaves most of the picture as it was. One draw a statement (or braces):
// the order of evaluation in an argument list is the compiler's choice, and compilers choose differently.
#include <algorithm>
#include <cmath>

#include "trainer/data/scene.h"

namespace moefb::trainer {
namespace {

constexpr float kLeastContrast = 0.3f;

float between(Random& random, float low, float high) {
  return low + (high - low) * random.unit();
}

Colour draw_colour(Random& random, float least_saturation, float most_saturation) {
  const float hue = 6 * random.unit();
  const float saturation = between(random, least_saturation, most_saturation);
  const float value = between(random, 0.12f, 1.0f);
  const auto channel = [&](float peak) {  // the hue circle: full within 1 of its peak, nothing beyond 2
    const float away = std::abs(hue - peak);
    const float purity = std::clamp(2 - std::min(away, 6 - away), 0.0f, 1.0f);
    return value * (1 - saturation * (1 - purity));
  };
  return {channel(0), channel(2), channel(4)};
}

/// A colour that stands out from both of the background's.
Colour draw_fill(const Background& background, Random& random) {
  for (int attempt = 0; attempt < 12; ++attempt) {
    const Colour colour = draw_colour(random, 0.3f, 0.95f);
    if (std::min(contrast(colour, background.first), contrast(colour, background.second)) >= kLeastContrast) {
      return colour;
    }
  }
  return contrast(background.first, kBlack) > contrast(background.first, kWhite) ? kBlack : kWhite;
}

/// A direction, uniform on the circle, without a sine: a point of the disc, moved to its rim.
Point draw_direction(Random& random) {
  for (;;) {
    const Point p{between(random, -1, 1), between(random, -1, 1)};
    const float squared = dot(p, p);
    if (squared > 0.01f && squared <= 1) return p * (1 / std::sqrt(squared));
  }
}

Background draw_background(Random& random) {
  Background background;
  background.pattern = Background::Pattern(random.below(4));
  background.first = draw_colour(random, 0.05f, 0.6f);
  const float share = between(random, 0.15f, 0.4f);
  background.second = mix(background.first, draw_colour(random, 0.05f, 0.6f), share);
  background.direction = draw_direction(random);
  background.period = between(random, 0.35f, 0.9f);
  return background;
}

Mark draw_mark(const Background& background, Random& random) {
  Mark mark;
  mark.from = {between(random, -1.3f, 1.3f), between(random, -1.1f, 1.1f)};
  const float reach = between(random, 0.1f, 0.6f);
  const Point direction = draw_direction(random);
  mark.to = random.coin() ? mark.from : mark.from + direction * reach;
  mark.radius = between(random, 0.04f, 0.12f);
  mark.opacity = between(random, 0.3f, 0.8f);
  mark.colour = mix(background.first, draw_colour(random, 0.2f, 0.9f), 0.6f);
  return mark;
}

Object::Style draw_style(Shape shape, Random& random) {
  const uint32_t tenth = random.below(10);
  const bool slender = shape == Shape::kLightning || shape == Shape::kSpiral;
  if (slender || tenth < 5) return Object::Style::kFilled;  // a border would leave nothing of a slender shape's fill
  return tenth < 8 ? Object::Style::kBordered : Object::Style::kHollow;
}

Object draw_object(Shape shape, const Background& background, Random& random) {
  Object object;
  object.shape = shape;
  object.style = draw_style(shape, random);
  object.radius = between(random, 0.52f, 0.85f);
  const float slack = 1 - object.radius;  // inside the largest square, whatever the rotation
  object.centre = {between(random, -slack, slack), between(random, -slack, slack)};
  object.down = draw_direction(random);
  object.fill = draw_fill(background, random);
  object.border = mix(object.fill, brightness(object.fill) > 0.5f ? kBlack : kWhite, between(random, 0.5f, 0.9f));
  object.line = between(random, 0.12f, 0.2f);
  object.shading = between(random, 0, 0.25f);
  object.shadow = std::max(0.0f, between(random, -0.4f, 0.4f));
  return object;
}

}  // namespace

Scene draw_scene(Shape shape, Random& random) {
  Scene scene;
  scene.background = draw_background(random);
  scene.object = draw_object(shape, scene.background, random);
  scene.mark_count = int(random.below(Scene::kMaxMarks + 1));
  for (Mark& mark : scene.marks) mark = draw_mark(scene.background, random);
  scene.noise = between(random, 0, 0.05f);
  scene.noise_seed = random.next();
  return scene;
}

}  // namespace moefb::trainer

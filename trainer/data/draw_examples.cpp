// Draws the pictures of examples/images: `draw_examples FOLDER`. The README there says more.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/png.h"
#include "trainer/data/scene.h"

namespace {

using namespace moefb::trainer;

/// `index` names the scene; these were chosen for their looks.
struct Example {
  Shape shape;
  const char* extension;
  int width;
  int height;
  uint64_t index;
};

constexpr Example kExamples[] = {
    {Shape::kArrow, ".jpg", 240, 160, 20},     {Shape::kCrescent, ".png", 128, 128, 63},
    {Shape::kFlower, ".png", 200, 150, 32},    {Shape::kHeart, ".png", 240, 180, 0},
    {Shape::kHourglass, ".jpg", 192, 192, 12}, {Shape::kLightning, ".jpg", 150, 220, 5},
    {Shape::kSpiral, ".png", 180, 240, 28},    {Shape::kStar, ".jpg", 320, 240, 31},
};

void draw(const Example& example, const std::filesystem::path& folder) {
  Random random(1, Stream::kExamplePicture, example.index);
  Scene scene = draw_scene(example.shape, random);
  scene.noise *= 0.25f;  // at full strength a PNG of this size would be all noise, and ten times as large
  std::vector<uint8_t> pixels(size_t(example.width) * size_t(example.height) * 3);
  paint(scene, example.width, example.height, pixels);
  const std::string path = (folder / shape_name(example.shape)).string() + example.extension;
  if (std::string(example.extension) == ".png") {
    write_png(path, example.width, example.height, pixels);
  } else {
    write_jpeg(path, example.width, example.height, pixels);
  }
  std::printf("%s\n", path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: draw_examples FOLDER\n");
    return 1;
  }
  try {
    for (const Example& example : kExamples) draw(example, argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "draw_examples: %s\n", error.what());
    return 1;
  }
  return 0;
}

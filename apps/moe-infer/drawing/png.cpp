#include "apps/moe-infer/drawing/png.h"

#include <new>

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace moefb::drawing {
namespace {

void append(void* file, void* bytes, int size) {
  const auto* first = static_cast<const std::byte*>(bytes);
  auto& all = *static_cast<std::vector<std::byte>*>(file);
  all.insert(all.end(), first, first + size);
}

}  // namespace

std::vector<std::byte> encode_png(const Canvas& canvas) {
  std::vector<std::byte> file;
  if (stbi_write_png_to_func(append, &file, canvas.width(), canvas.height(), 3, canvas.pixels().data(),
                             canvas.width() * 3) == 0) {
    throw std::bad_alloc();
  }
  return file;
}

}  // namespace moefb::drawing

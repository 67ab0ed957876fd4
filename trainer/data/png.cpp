#include "trainer/data/png.h"

#include <cstring>
#include <stdexcept>
#include <vector>

#include "converter/atomic_file.h"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include "stb/stb_image_write.h"
#pragma GCC diagnostic pop

namespace moefb::trainer {
namespace {

void append(void* file, void* bytes, int size) {
  const auto* first = static_cast<const std::byte*>(bytes);
  auto& all = *static_cast<std::vector<std::byte>*>(file);
  all.insert(all.end(), first, first + size);
}

void check(const std::string& path, int width, int height, std::span<const uint8_t> rgb) {
  if (width < 1 || height < 1 || rgb.size() != size_t(width) * size_t(height) * 3) {
    throw std::runtime_error(path + ": expected 3 bytes for each pixel of " + std::to_string(width) + "x" +
                             std::to_string(height) + ", found " + std::to_string(rgb.size()) + " bytes");
  }
}

void write_encoded(const std::string& path, bool encoded, const std::vector<std::byte>& file) {
  if (!encoded) throw std::runtime_error(path + ": the picture could not be encoded: out of memory");
  write_file_atomically(path, file);
}

}  // namespace

void write_png(const std::string& path, int width, int height, std::span<const uint8_t> rgb) {
  check(path, width, height, rgb);
  std::vector<std::byte> file;
  const int encoded = stbi_write_png_to_func(append, &file, width, height, 3, rgb.data(), width * 3);
  write_encoded(path, encoded != 0, file);
}

void write_jpeg(const std::string& path, int width, int height, std::span<const uint8_t> rgb, int quality) {
  check(path, width, height, rgb);
  std::vector<std::byte> file;
  const int encoded = stbi_write_jpg_to_func(append, &file, width, height, 3, rgb.data(), quality);
  write_encoded(path, encoded != 0, file);
}

}  // namespace moefb::trainer

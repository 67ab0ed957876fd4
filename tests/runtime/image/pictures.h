// What the picture tests share: the files of tests/data/images and the scene that most of them show.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "moefb/image.h"

namespace moefb::test {

using Buffer = std::vector<uint8_t>;
using Pixel = std::array<int, 3>;

inline constexpr int kSceneWidth = 24;
inline constexpr int kSceneHeight = 16;

/// The colour that tests/data/images/make.py draws at (x, y); with steps, blocks show their first pixel's colour.
inline Pixel scene(int x, int y, int step_x = 1, int step_y = 1) {
  x -= x % step_x;
  y -= y % step_y;
  return {x * 10, y * 15, x * 3 + y * 5};
}

inline std::string picture_path(const std::string& name) {
  return std::string(MOEFB_TEST_DATA "/images/") + name;
}

inline Buffer read_picture(const std::string& name) {
  std::ifstream file(picture_path(name), std::ios::binary);
  EXPECT_TRUE(file) << name;
  return Buffer(std::istreambuf_iterator<char>(file), {});
}

inline Result<Image> decode(std::span<const uint8_t> bytes) {
  return decode_image(std::as_bytes(bytes));
}

inline std::string describe(Status status) {
  char text[256];
  return status.describe(text, sizeof text);
}

/// Decodes a picture that must be answered; an empty Image, and a failed test, if it is not.
inline Image decoded(std::span<const uint8_t> bytes) {
  Result<Image> image = decode(bytes);
  EXPECT_TRUE(image.ok()) << describe(image.status());
  return image.ok() ? std::move(*image) : Image();
}

inline Pixel pixel(const Image& image, int x, int y) {
  const uint8_t* at = image.pixels.get() + (size_t(y) * size_t(image.width) + size_t(x)) * 3;
  return {at[0], at[1], at[2]};
}

/// The largest difference of a channel, over all pixels; -1 if the sizes differ.
template <typename Expected>  // Pixel(int x, int y)
int worst_difference(const Image& image, int width, int height, Expected expected) {
  if (image.width != width || image.height != height) return -1;
  int worst = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Pixel found = pixel(image, x, y);
      const Pixel wanted = expected(x, y);
      for (size_t c = 0; c < 3; ++c) worst = std::max(worst, std::abs(found[c] - wanted[c]));
    }
  }
  return worst;
}

inline void put_be(Buffer& bytes, size_t at, size_t n, uint32_t value) {
  for (size_t i = 0; i < n; ++i) bytes[at + i] = uint8_t(value >> (8 * (n - 1 - i)));
}

inline void put_le(Buffer& bytes, size_t at, size_t n, uint32_t value) {
  for (size_t i = 0; i < n; ++i) bytes[at + i] = uint8_t(value >> (8 * i));
}

inline uint32_t get_be32(const Buffer& bytes, size_t at) {
  return uint32_t(bytes[at]) << 24 | uint32_t(bytes[at + 1]) << 16 | uint32_t(bytes[at + 2]) << 8 | bytes[at + 3];
}

/// Writes the right CRC into every chunk that can be found, so that changes reach the code behind the checksums.
inline void repair_png(Buffer& bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    const size_t length = get_be32(bytes, at);
    if (length > bytes.size() - at - 12) return;
    uint32_t crc = ~uint32_t{0};
    for (size_t i = at + 4; i < at + 8 + length; ++i) {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    put_be(bytes, at + 8 + length, 4, ~crc);
    at += 12 + length;
  }
}

/// A square grey JPEG of one scan, whose two Huffman tables hold a single code each, the bit 0.
/// @param quant      every value of the quantisation table, 1 to 65535
/// @param dc_symbol  what the DC code means: the number of bits of the difference that follows; the AC code ends a
/// block
/// @param data       the coded data
inline Buffer grey_jpeg(int side, uint32_t quant, uint8_t dc_symbol, const Buffer& data) {
  const uint8_t high = uint8_t(side >> 8);
  const uint8_t low = uint8_t(side);
  Buffer jpeg = {0xFF, 0xD8, 0xFF, 0xDB, 0, 131, 0x10};
  for (int i = 0; i < 64; ++i) jpeg.insert(jpeg.end(), {uint8_t(quant >> 8), uint8_t(quant)});
  jpeg.insert(jpeg.end(), {0xFF, 0xC1, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0});
  for (int kind : {0x00, 0x10}) {
    jpeg.insert(jpeg.end(), {0xFF, 0xC4, 0, 20, uint8_t(kind), 1});
    jpeg.insert(jpeg.end(), 15, 0);
    jpeg.push_back(kind == 0 ? dc_symbol : 0);
  }
  jpeg.insert(jpeg.end(), {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0});
  jpeg.insert(jpeg.end(), data.begin(), data.end());
  jpeg.insert(jpeg.end(), {0xFF, 0xD9});
  return jpeg;
}

/// The position of a JPEG segment's marker.
inline size_t find_marker(const Buffer& bytes, uint8_t marker) {
  const uint8_t pattern[] = {0xFF, marker};
  return size_t(std::search(bytes.begin(), bytes.end(), pattern, pattern + 2) - bytes.begin());
}

}  // namespace moefb::test

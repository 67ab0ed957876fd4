// Bytes to pixels: tell the format, check the file, decode, turn.
#include <algorithm>

#include "image/formats.h"
#include "image/stb_decoder.h"
#include "image/turn.h"
#include "moefb/image.h"

namespace moefb {
namespace image {
namespace {

template <size_t N>
bool begins_with(Bytes file, const char (&signature)[N]) noexcept {
  return file.size() >= N - 1 &&
         std::equal(signature, signature + N - 1, file.begin(), [](char a, uint8_t b) { return uint8_t(a) == b; });
}

Result<Header> inspect(Bytes file) noexcept {
  if (file.empty()) return Status(Code::kCorruptFile, "the file is empty");
  if (file.size() > kMaxFileBytes) {
    return Status(Code::kUnsupported, "the file is too large").values(int64_t(file.size()), kMaxFileBytes);
  }
  if (begins_with(file, "\x89PNG\r\n\x1a\n")) return inspect_png(file);
  if (begins_with(file, "\xff\xd8\xff")) return inspect_jpeg(file);
  if (begins_with(file, "GIF87a") || begins_with(file, "GIF89a")) return inspect_gif(file);
  if (begins_with(file, "BM")) return inspect_bmp(file);
  return Status(Code::kCorruptFile, "not a PNG, JPEG, BMP or GIF file");
}

}  // namespace

Status check_size(int64_t width, int64_t height) noexcept {
  constexpr int64_t kMaxSide = INT32_MAX;
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    return Status(Code::kCorruptFile, "a side in its header is not valid");
  }
  if (width * height <= kMaxPixels) return Status();
  return Status(Code::kUnsupported, "too many pixels").values(width * height, kMaxPixels);
}

}  // namespace image

Result<Image> decode_image(std::span<const std::byte> bytes) noexcept {
  const image::Bytes file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  Result<image::Header> header = image::inspect(file);
  MOEFB_TRY(header.status());
  Result<image::StbPixels> pixels = image::decode_with_stb(file, *header);
  MOEFB_TRY(pixels.status());
  return image::turn(pixels->get(), *header);
}

}  // namespace moefb

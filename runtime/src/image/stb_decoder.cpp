// stb_image, made fit for hostile files: other formats off, no assertions, no shared state, memory zeroed and limited.
// Build this file with -fwrapv: in a damaged JPEG the running sum of DC values overflows an int.
// UBSan's shift check is off for it: where a JPEG scan ends before its blocks do, stbi__grow_buffer_unsafe() adds bytes
// that are 0 to a buffer whose count of bits has become negative, so it shifts 0 by more than 31. It stays 0.
#include "image/stb_decoder.h"

#include <cstring>

namespace moefb::image {
namespace {

enum class Refusal : uint8_t { kNone, kTooLarge, kNoMemory };

// stb_image takes its allocator from macros, so the limit of the running call has to be reachable from there.
thread_local size_t block_limit = 0;
thread_local Refusal refusal = Refusal::kNone;

bool allowed(size_t bytes) noexcept {
  if (bytes <= block_limit) return true;
  refusal = Refusal::kTooLarge;
  return false;
}

void* checked(void* block) noexcept {
  if (!block) refusal = Refusal::kNoMemory;
  return block;
}

// Zeroed, since stb_image reads Huffman tables and pixels that a damaged file never fills.
void* stb_allocate(size_t bytes) noexcept {
  return allowed(bytes) ? checked(std::calloc(1, bytes)) : nullptr;
}

void* stb_reallocate(void* old, size_t old_bytes, size_t bytes) noexcept {
  if (!allowed(bytes)) return nullptr;
  void* block = checked(std::realloc(old, bytes));
  if (block && bytes > old_bytes) std::memset(static_cast<char*>(block) + old_bytes, 0, bytes - old_bytes);
  return block;
}

// The largest block that a sound file makes stb_image ask for: 8 bytes a pixel (16 bits, RGBA), doubled where the first
// guess was short; JPEG pads both sides to 32. The compressed data is gathered in a block that grows by doubling.
size_t largest_block(Bytes file, const Header& header) noexcept {
  const size_t padded_pixels = size_t(header.width + 32) * size_t(header.height + 32);
  constexpr size_t kDecoderState = size_t{1} << 17;
  return 16 * padded_pixels + 2 * file.size() + kDecoderState;
}

}  // namespace
}  // namespace moefb::image

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wsign-compare"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_FAILURE_STRINGS  // one of them is written to while decoding, by all threads
#define STBI_MAX_DIMENSIONS (1 << 26)
#define STBI_ASSERT(condition) ((void)0)
#define STBI_MALLOC(bytes) moefb::image::stb_allocate(bytes)
#define STBI_REALLOC(old, bytes) moefb::image::stb_reallocate(old, bytes, bytes)
#define STBI_REALLOC_SIZED(old, old_bytes, bytes) moefb::image::stb_reallocate(old, old_bytes, bytes)
#define STBI_FREE(block) std::free(block)
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace moefb::image {

Result<StbPixels> decode_with_stb(Bytes file, const Header& header) noexcept {
  block_limit = largest_block(file, header);
  refusal = Refusal::kNone;
  int width = 0;
  int height = 0;
  StbPixels pixels(stbi_load_from_memory(file.data(), int(file.size()), &width, &height, nullptr, 3));
  if (refusal == Refusal::kNoMemory) return Status(Code::kOutOfMemory, "no memory to decode it");
  if (refusal == Refusal::kTooLarge) return Status(Code::kCorruptFile, "more data than its header says");
  if (!pixels) return Status(Code::kCorruptFile, "its compressed data is damaged");
  if (width != header.width || height != header.height) {
    return Status(Code::kCorruptFile, "decoded to another size than its header says").values(width, header.width);
  }
  return Result<StbPixels>(std::move(pixels));
}

}  // namespace moefb::image

// A whole file into memory of ours: for models and for pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "buffer.h"
#include "moefb/result.h"

namespace moefb {

struct FileBytes {
  Buffer<std::byte> memory;  ///< aligned to 64
  size_t size = 0;

  std::span<const std::byte> bytes() const noexcept { return {memory.get(), size}; }
};

/// @return kInvalidArgument (no path), kNotFound, kIo (a folder, a device, a pipe, no permission), kUnsupported (more
/// than
///         max_bytes: refused unread), kOutOfMemory
Result<FileBytes> read_whole_file(const char* path, int64_t max_bytes) noexcept;

}  // namespace moefb

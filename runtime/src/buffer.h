// Memory of our own: aligned, zeroed on request never, failing by null instead of by exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace moefb {

inline constexpr size_t kBufferAlignment = 64;

struct FreeDeleter {
  void operator()(void* p) const noexcept { std::free(p); }
};
template <typename T>
using Buffer = std::unique_ptr<T[], FreeDeleter>;

/// `count` uninitialised elements, aligned to 64 bytes; null if there is no memory.
template <typename T>
Buffer<T> allocate(int64_t count) noexcept {
  const size_t bytes = (size_t(count) * sizeof(T) + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  return Buffer<T>(static_cast<T*>(std::aligned_alloc(kBufferAlignment, bytes == 0 ? kBufferAlignment : bytes)));
}

}  // namespace moefb

// FNV-1a, 64 bits: tells whether two texts or files are the same, on any machine. No checksum against forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moefb {

inline uint64_t fnv1a(std::span<const std::byte> bytes) noexcept {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes) hash = (hash ^ uint64_t(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace moefb

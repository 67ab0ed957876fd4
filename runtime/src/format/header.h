// The first 72 bytes of a file, proved before anything behind them is looked at.
#pragma once

#include <cstddef>
#include <span>

#include "moefb/result.h"
#include "schema/container.h"

namespace moefb::format {

/// Largest front (header and flatbuffer) that a FlatBuffers verifier takes, in bytes.
inline constexpr uint64_t kMaxFrontBytes = (uint64_t{1} << 31) - 2;

/// Reads the header and proves magic, version, features, its checksum, and that the sizes in it add up to the file.
/// @return kCorruptFile, kVersionMismatch (a newer one), kUnsupported (a required feature that this build lacks)
Result<container::Header> read_header(std::span<const std::byte> file) noexcept;

/// Proves that bytes [begin, end) of the file are zero. @return kCorruptFile with the offset of the first that is not
Status check_zeros(std::span<const std::byte> file, uint64_t begin, uint64_t end) noexcept;

}  // namespace moefb::format

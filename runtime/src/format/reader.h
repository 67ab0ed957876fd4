// The bytes of a .moefb file to a Graph, every check included. docs/format.md lists the checks.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "graph/graph.h"
#include "moefb/result.h"

namespace moefb::format {

/// @param file  the whole file. The flatbuffer is copied before it is checked; tensors of the Graph point into `file`,
/// which must outlive it
///              and must be aligned to 64 bytes.
/// @param verify_checksums  over the segments; header and flatbuffer are always verified
/// @return kCorruptFile (with offset or index, value found, value expected), kVersionMismatch, kUnsupported,
/// kOutOfMemory
Result<std::unique_ptr<graph::Graph>> read_graph(std::span<const std::byte> file, bool verify_checksums) noexcept;

}  // namespace moefb::format

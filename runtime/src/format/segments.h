// The segment table against the file: where bulk data lies, and that every byte behind the flatbuffer is accounted for.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "moefb/result.h"
#include "schema/container.h"
#include "schema/moefb_generated.h"

namespace moefb::format {

/// Proves that segments start on pages, in order and apart, fill the file together with zeros, and have their checksum.
/// @param segments  out; offsets from the start of the file
/// @return kCorruptFile with the segment's index, or the offset of padding that is not zero
Status read_segments(const fb::Model& model, std::span<const std::byte> file, const container::Header& header,
                     bool verify_checksums, std::vector<graph::Segment>& segments) noexcept;

}  // namespace moefb::format

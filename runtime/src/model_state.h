// What a Model holds.
#pragma once

#include <memory>
#include <span>

#include "buffer.h"
#include "cpu/backend.h"
#include "graph/graph.h"
#include "moefb/model.h"

namespace moefb::detail {

struct ModelState {
  LoadOptions options;
  Buffer<std::byte> memory;         ///< the file, if it is ours
  std::span<const std::byte> file;  ///< the file, wherever it lies
  std::unique_ptr<graph::Graph> graph;
  std::unique_ptr<cpu::PackedGraph> packed;
};

}  // namespace moefb::detail

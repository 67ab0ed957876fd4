#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace moefb::plan {
namespace {

bool alive_together(const Buffer& a, const Buffer& b) {
  return a.first <= b.last && b.first <= a.last;
}

/// The lowest offset at which `bytes` fit between the neighbours, which are sorted by offset.
int64_t lowest_gap(const std::vector<const Buffer*>& neighbours, int64_t bytes) {
  int64_t offset = 0;
  for (const Buffer* n : neighbours) {
    if (offset + bytes <= n->offset) break;
    offset = std::max(offset, align_up(n->offset + n->bytes));
  }
  return offset;
}

}  // namespace

int64_t place(std::vector<Buffer>& buffers) noexcept {
  std::vector<size_t> by_size(buffers.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  std::vector<const Buffer*> placed;  // sorted by offset
  std::vector<const Buffer*> neighbours;
  int64_t arena_bytes = 0;
  for (size_t index : by_size) {
    Buffer& buffer = buffers[index];
    neighbours.clear();
    for (const Buffer* p : placed) {
      if (alive_together(*p, buffer)) neighbours.push_back(p);
    }
    buffer.offset = lowest_gap(neighbours, buffer.bytes);
    arena_bytes = std::max(arena_bytes, align_up(buffer.offset + buffer.bytes));
    const auto at = std::upper_bound(placed.begin(), placed.end(), &buffer,
                                     [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
    placed.insert(at, &buffer);
  }
  return arena_bytes;
}

}  // namespace moefb::plan

// Mutates a model inside its frame: where bytes are inserted or lost, sizes no longer add up, and the reader would look
// at nothing else. One mutation in eight is libFuzzer's own, on the whole file.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "schema/container.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

/// Changes bytes [begin, end) in place.
void mutate_part(uint8_t* data, size_t begin, size_t end) {
  std::vector<uint8_t> part(data + begin, data + end);
  part.resize(LLVMFuzzerMutate(part.data(), part.size(), part.size()));
  part.resize(end - begin);  // zeros for what a mutation left out
  std::copy(part.begin(), part.end(), data + begin);
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned int seed) {
  using namespace moefb::container;
  if (size <= kHeaderBytes || seed % 8 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const Header header = decode_header({reinterpret_cast<const std::byte*>(data), size});
  const size_t graph_end = kHeaderBytes + std::min<uint64_t>(header.graph_bytes, size - kHeaderBytes);
  if (graph_end == kHeaderBytes) return LLVMFuzzerMutate(data, size, max_size);
  if (seed % 8 == 1 && graph_end < size) {
    mutate_part(data, graph_end, size);
  } else {
    mutate_part(data, kHeaderBytes, graph_end);
  }
  return size;
}

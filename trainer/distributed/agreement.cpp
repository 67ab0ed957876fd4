#include "trainer/distributed/agreement.h"

#include <ATen/ATen.h>

#include <stdexcept>

namespace moefb::trainer {
namespace {

/// FNV-1a: the same on every machine, which std::hash is not.
int64_t fingerprint(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ uint8_t(c)) * 0x100000001b3;
  return int64_t(hash);
}

}  // namespace

void check_same(const Group& group, const std::string& text, const std::string& what) {
  const std::vector<at::Tensor> all = group.gather(at::scalar_tensor(fingerprint(text), at::kLong));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank].item<int64_t>() == all[0].item<int64_t>()) continue;
    throw std::runtime_error("process " + std::to_string(rank) + " has another " + what + " than process 0");
  }
}

void share_tensors(const Group& group, const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) group.broadcast(tensor);
}

}  // namespace moefb::trainer

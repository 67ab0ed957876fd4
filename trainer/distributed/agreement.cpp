#include "trainer/distributed/agreement.h"

#include <ATen/ATen.h>

#include <span>
#include <stdexcept>

#include "converter/fnv1a.h"

namespace moefb::trainer {

void check_same(const Group& group, const std::string& text, const std::string& what) {
  // std::hash may differ from machine to machine.
  const auto fingerprint = int64_t(fnv1a(std::as_bytes(std::span(text))));
  const std::vector<at::Tensor> all = group.gather(at::scalar_tensor(fingerprint, at::kLong));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank].item<int64_t>() == all[0].item<int64_t>()) continue;
    throw std::runtime_error("process " + std::to_string(rank) + " has another " + what + " than process 0");
  }
}

void share_tensors(const Group& group, const std::vector<at::Tensor>& tensors) {
  for (const at::Tensor& tensor : tensors) group.broadcast(tensor);
}

}  // namespace moefb::trainer

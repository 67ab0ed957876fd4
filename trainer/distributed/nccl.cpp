#include "trainer/distributed/nccl.h"

#include <stdexcept>

#ifdef MOEFB_NCCL  // where CMake found the headers
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

namespace moefb::trainer {

#ifdef MOEFB_NCCL

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                                            std::chrono::milliseconds patience) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = patience;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, int(rank), int(size), options);
}

#else

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>&, int64_t, int64_t,
                                            std::chrono::milliseconds) {
  throw std::runtime_error("tensors on a GPU go over NCCL, which this build is without");
}

#endif

}  // namespace moefb::trainer

// NCCL, which carries what lies on GPUs, where this LibTorch has it.
#pragma once

#include <chrono>
#include <cstdint>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace moefb::trainer {

/// @throws std::runtime_error  this LibTorch was built without NCCL, or we were built without its headers
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank, int64_t size,
                                            std::chrono::milliseconds patience);

}  // namespace moefb::trainer

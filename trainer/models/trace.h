// Intermediate tensors of a forward pass, for tests and golden vectors; named as in the golden fixtures.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace moefb::trainer {

using Trace = std::map<std::string, at::Tensor>;

/// Keeps `tensor` if it is there and somebody wants it.
inline void note(Trace* trace, const char* name, const at::Tensor& tensor) {
  if (trace && tensor.defined()) (*trace)[name] = tensor;
}

}  // namespace moefb::trainer

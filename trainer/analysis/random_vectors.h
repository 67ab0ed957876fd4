// Random vectors named by a seed and a number: the same ones whenever they are asked for, so that nothing has to be
// saved to go on.
#pragma once

#include <ATen/core/Tensor.h>

namespace moefb::trainer {

/// What a vector is for: two uses of one seed never share numbers.
enum class VectorUse : uint64_t { kLanczos = 1, kPower, kTrace, kSketch, kDirection };

/// (n) standard normal. @param index  which of the use's vectors
at::Tensor normal_vector(int64_t n, uint64_t seed, VectorUse use, int64_t index, const at::TensorOptions& options);

/// (n) of +1 and -1 with equal chance (Rademacher).
at::Tensor sign_vector(int64_t n, uint64_t seed, VectorUse use, int64_t index, const at::TensorOptions& options);

}  // namespace moefb::trainer

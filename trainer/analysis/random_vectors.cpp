#include "trainer/analysis/random_vectors.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "trainer/data/random.h"

namespace moefb::trainer {
namespace {

at::Generator generator_of(uint64_t seed, VectorUse use, int64_t index) {
  Random names(seed, Stream::kAnalysis, uint64_t(use), uint64_t(index));
  return at::detail::createCPUGenerator(names.next());
}

}  // namespace

// Drawn on the CPU in f32 wherever they are used: the same vector for every device and precision.
at::Tensor normal_vector(int64_t n, uint64_t seed, VectorUse use, int64_t index, const at::TensorOptions& options) {
  return at::randn({n}, generator_of(seed, use, index), at::kFloat).to(options);
}

at::Tensor sign_vector(int64_t n, uint64_t seed, VectorUse use, int64_t index, const at::TensorOptions& options) {
  return at::randint(2, {n}, generator_of(seed, use, index), at::kFloat).mul_(2).sub_(1).to(options);
}

}  // namespace moefb::trainer

#include "trainer/golden_compare.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "trainer/models/state_dict.h"

namespace moefb::golden {

Tensors::Tensors(const safetensors::File& file) {
  for (const auto& [name, tensor] : file.tensors) tensors_[name] = trainer::to_torch(tensor);
}

const at::Tensor& Tensors::operator[](const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw std::out_of_range("the fixture has no tensor " + name);
  return found->second;
}

void expect_close(const std::string& name, const at::Tensor& got, const at::Tensor& expected, double limit,
                  double floor) {
  ASSERT_TRUE(got.defined()) << name << " was not computed";
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  if (expected.numel() == 0) return;
  const at::Tensor found = got.detach().to(at::kDouble).contiguous().flatten();
  const at::Tensor wanted = expected.to(at::kDouble).flatten();
  const double bound = limit * std::max(floor, wanted.abs().max().item<double>());
  const at::Tensor error = (found - wanted).abs();
  // Negated, so that a NaN fails.
  if (const double worst = error.max().item<double>(); !(worst <= bound)) {
    const int64_t at = error.argmax().item<int64_t>();
    ADD_FAILURE() << name << " off by " << worst << " (limit " << bound << ") at element " << at << ": found "
                  << found[at].item<double>() << ", expected " << wanted[at].item<double>();
  }
}

void expect_equal(const std::string& name, const at::Tensor& got, const at::Tensor& expected) {
  ASSERT_TRUE(got.defined()) << name << " was not computed";
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  EXPECT_EQ(got.ne(expected).sum().item<int64_t>(), 0) << name << ": elements differ";
}

void expect_gradients(const torch::nn::Module& module, const Tensors& io, const std::string& prefix, double limit) {
  for (const auto& item : module.named_parameters()) {
    const std::string name = prefix + "grad." + item.key();
    const at::Tensor& gradient = item.value().grad();
    if (io.has(name)) {
      expect_close(name, gradient, io[name], limit);
    } else {
      EXPECT_FALSE(gradient.defined()) << item.key() << " has a gradient, but took no part";
    }
  }
}

}  // namespace moefb::golden

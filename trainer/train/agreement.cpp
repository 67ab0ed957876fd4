#include "trainer/train/agreement.h"

#include <ATen/ATen.h>

namespace moefb::trainer {

constexpr double kF32Limit = 2e-5;
constexpr double kBf16Limit = 5e-2;
constexpr int64_t kBf16OneIn = 100;

Agreement compare_answers(const at::Tensor& own, const at::Tensor& runtime, bool bf16_weights) {
  const at::Tensor own_class = own.argmax(1);
  const at::Tensor runtime_class = runtime.argmax(1);
  const auto logit_of = [&own](const at::Tensor& classes) { return own.gather(1, classes.unsqueeze(1)).squeeze(1); };
  const at::Tensor lead = logit_of(own_class) - logit_of(runtime_class);
  const double rounding = 2 * (bf16_weights ? kBf16Limit : kF32Limit) * own.abs().max().item<double>();

  Agreement agreement;
  agreement.pictures = own.size(0);
  agreement.same = own_class.eq(runtime_class).sum().item<int64_t>();
  // A lead that is no number is not explained by rounding either.
  agreement.different = own_class.ne(runtime_class).logical_and(lead.le(rounding).logical_not()).sum().item<int64_t>();
  agreement.allowed = bf16_weights ? agreement.pictures / kBf16OneIn : 0;
  agreement.max_error = (own - runtime).abs().max().item<double>();
  return agreement;
}

std::string describe_disagreement(const Agreement& agreement) {
  return "expected the trainer's classes, but for what rounding explains; found " +
         std::to_string(agreement.different) + " of " + std::to_string(agreement.pictures) +
         " pictures with another class, where " + std::to_string(agreement.allowed) +
         " may have one: is it the model of this run?";
}

}  // namespace moefb::trainer

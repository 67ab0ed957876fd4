// Whether a converted model answers as the trainer does.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace moefb::trainer {

struct Agreement {
  int64_t pictures = 0;
  int64_t same = 0;       ///< got the same class
  int64_t different = 0;  ///< got another class, and the trainer's led by more than rounding explains
  int64_t allowed = 0;    ///< so many may
  double max_error = 0;   ///< largest difference of two logits

  bool good() const { return different <= allowed; }
};

/// Rounding may change a class only where the trainer's leads the other by at most twice the limit of docs/design.md,
/// section 6: 2e-5 of the largest logit for f32 weights, 5e-2 for bf16. No picture may differ beyond that in f32; in
/// bf16, where rounding also moves a picture to another expert now and then, one in a hundred may.
/// @param own, runtime  logits, (n, C), n >= 1
Agreement compare_answers(const at::Tensor& own, const at::Tensor& runtime, bool bf16_weights);

/// For a model that is not good: what was found, and how much of it was expected.
std::string describe_disagreement(const Agreement& agreement);

}  // namespace moefb::trainer

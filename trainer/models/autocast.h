// bf16 arithmetic for a part of a forward pass.
#pragma once

#include <ATen/autocast_mode.h>

namespace moefb::trainer {

enum class Precision : uint8_t {
  kF32,
  kBf16,  ///< autocast of convolutions and dense layers; whatever decides a route stays in f32, where rounding would
          ///< change it
};

/// bf16 autocast on the CPU while it lives.
class Bf16Autocast {
 public:
  Bf16Autocast() : was_enabled_(at::autocast::is_autocast_enabled(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Bf16Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, was_enabled_);
  }
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  bool was_enabled_;
};

}  // namespace moefb::trainer

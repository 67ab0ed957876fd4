// bf16 arithmetic for a part of a forward pass.
#pragma once

#include <ATen/autocast_mode.h>

namespace moefb::trainer {

enum class Precision : uint8_t {
  kF32,
  kBf16,  ///< autocast of convolutions and dense layers; whatever decides a route stays in f32, where rounding would
          ///< change it
};

/// bf16 autocast on one kind of device while it lives.
class Bf16Autocast {
 public:
  explicit Bf16Autocast(at::DeviceType device)
      : device_(device), was_enabled_(at::autocast::is_autocast_enabled(device)) {
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::increment_nesting();
  }
  ~Bf16Autocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }
  Bf16Autocast(const Bf16Autocast&) = delete;
  Bf16Autocast& operator=(const Bf16Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool was_enabled_;
};

}  // namespace moefb::trainer

// libFuzzer's door to one target, MOEFB_FUZZ_TARGET.
#include <cstdint>

#include "fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moefb::fuzz::MOEFB_FUZZ_TARGET({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

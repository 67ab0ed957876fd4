// One source, compiled for several instruction sets: a body that is always inlined into a function for each.
//
// A file of its own per set, with its own compiler flags, would also compile the inline functions of every header for
// that set, and the linker might keep those for all callers.
#pragma once

#include "kernels/cpu/kernels.h"

#define MOEFB_INLINE [[gnu::always_inline]] inline

#if defined(__x86_64__)
#define MOEFB_AVX2 [[gnu::target("avx2")]]
#if defined(__clang__)
#define MOEFB_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]]
#else
#define MOEFB_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]]
#endif

/// Defines `void name PARAMETERS`, which calls `body ARGUMENTS` as compiled for `isa`.
#define MOEFB_FOR_EACH_ISA(name, PARAMETERS, isa, body, ARGUMENTS) \
  MOEFB_AVX512 static void name##_avx512 PARAMETERS noexcept {     \
    body ARGUMENTS;                                                \
  }                                                                \
  MOEFB_AVX2 static void name##_avx2 PARAMETERS noexcept {         \
    body ARGUMENTS;                                                \
  }                                                                \
  static void name##_portable PARAMETERS noexcept {                \
    body ARGUMENTS;                                                \
  }                                                                \
  void name PARAMETERS noexcept {                                  \
    switch (isa) {                                                 \
      case Isa::kAvx512:                                           \
        return name##_avx512 ARGUMENTS;                            \
      case Isa::kAvx2:                                             \
        return name##_avx2 ARGUMENTS;                              \
      case Isa::kPortable:                                         \
        return name##_portable ARGUMENTS;                          \
    }                                                              \
  }
#else
#define MOEFB_FOR_EACH_ISA(name, PARAMETERS, isa, body, ARGUMENTS) \
  void name PARAMETERS noexcept {                                  \
    body ARGUMENTS;                                                \
  }
#endif

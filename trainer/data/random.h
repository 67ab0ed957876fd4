// Random numbers that are the same with every compiler and standard library: nothing here comes from <random>.
//
// Counter-based: a sequence is named by what it is for, the n-th number is a hash of the name and n. So picture 7 needs
// no pictures before it, any number of threads may draw, and nothing has to be saved to resume a run.
//
// Source of the hash: SplitMix64 (Steele, Lea and Flood 2014), with its published constants.
#pragma once

#include <cstdint>

namespace moefb::trainer {

/// What a sequence is for: two uses of one seed never share numbers.
enum class Stream : uint64_t {
  kTrainPicture = 1,
  kValPicture,
  kTestPicture,
  kNoise,
  kSplit,
  kOrder,
  kAugment,
  kExamplePicture,
  kFlip,
  kResizedCrop,
  kGrayscale,
  kColourJitter,
  kRandAugment,
  kErasing,
  kAnalysis,
  kLabelPermutation,
  kAnalysisPicture
};

class Random {
 public:
  /// The sequence named by (seed, stream, a, b).
  Random(uint64_t seed, Stream stream, uint64_t a, uint64_t b = 0)
      : state_(mix(mix(mix(mix(seed) + uint64_t(stream)) + a) + b)) {}

  uint64_t next() {
    state_ += kStep;
    return mix(state_);
  }

  /// Uniform in [0, 1), a multiple of 2^-24: exact in float.
  float unit() { return float(next() >> 40) * 0x1p-24f; }

  /// Uniform in [low, high), in steps of 2^-53 of the way; `low` if both are equal.
  double between(double low, double high) { return low + (high - low) * (double(next() >> 11) * 0x1p-53); }

  /// Uniform in 0 .. n-1, without bias; n >= 1.
  uint32_t below(uint32_t n) {
    const uint32_t unfair = (0u - n) % n;  // 2^32 mod n: so many of the 2^32 draws have to be thrown away
    for (;;) {
      const uint64_t product = (next() >> 32) * n;
      if (uint32_t(product) >= unfair) return uint32_t(product >> 32);
    }
  }

  bool coin() { return (next() >> 63) != 0; }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15;

  static constexpr uint64_t mix(uint64_t x) {
    x += kStep;  // without it mix(0) were 0
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t state_;
};

}  // namespace moefb::trainer

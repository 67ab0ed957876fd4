// Layers as their formulas read: maps (C, H, W) in float64, one loop an index, nothing shared with what is tested.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "converter/safetensors.h"

namespace moefb::testing::plain {

struct Map {
  Map(int64_t channels, int64_t height, int64_t width)
      : c(channels), h(height), w(width), values(size_t(channels * height * width), 0.0) {}

  double& at(int64_t k, int64_t y, int64_t x) { return values[size_t((k * h + y) * w + x)]; }
  double at(int64_t k, int64_t y, int64_t x) const { return values[size_t((k * h + y) * w + x)]; }
  bool inside(int64_t y, int64_t x) const { return y >= 0 && y < h && x >= 0 && x < w; }

  int64_t c, h, w;
  std::vector<double> values;
};

/// The weights of one file, by key.
class Weights {
 public:
  explicit Weights(const safetensors::File& file) : file_(file) {}
  std::vector<float> of(const std::string& key) const { return file_.tensors.at(key).to_f32(); }
  const std::vector<int64_t>& shape(const std::string& key) const { return file_.tensors.at(key).shape; }
  bool has(const std::string& key) const { return file_.tensors.contains(key); }

 private:
  const safetensors::File& file_;
};

/// Padding: half the kernel.
inline Map conv(const Map& src, const Weights& weights, const std::string& key, int64_t stride = 1) {
  const std::vector<float> kernel = weights.of(key);
  const std::vector<int64_t> shape = weights.shape(key);  // (O, I, K, K)
  const int64_t side = shape[2];
  Map dst(shape[0], (src.h - 1) / stride + 1, (src.w - 1) / stride + 1);
  for (int64_t o = 0; o < dst.c; ++o) {
    for (int64_t y = 0; y < dst.h; ++y) {
      for (int64_t x = 0; x < dst.w; ++x) {
        double sum = 0;
        for (int64_t i = 0; i < src.c; ++i) {
          for (int64_t a = 0; a < side; ++a) {
            for (int64_t b = 0; b < side; ++b) {
              const int64_t sy = y * stride + a - side / 2, sx = x * stride + b - side / 2;
              const double tap = double(kernel[size_t(((o * src.c + i) * side + a) * side + b)]);
              if (src.inside(sy, sx)) sum += tap * src.at(i, sy, sx);
            }
          }
        }
        dst.at(o, y, x) = sum;
      }
    }
  }
  return dst;
}

/// min(8, C) groups, eps 1e-5
inline Map group_norm(Map map, const Weights& weights, const std::string& key) {
  const std::vector<float> scale = weights.of(key + ".weight"), shift = weights.of(key + ".bias");
  const int64_t groups = std::min<int64_t>(8, map.c), length = map.c / groups * map.h * map.w;
  for (int64_t g = 0; g < groups; ++g) {
    const auto begin = map.values.begin() + g * length;
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < length; ++i) mean += begin[i] / double(length);
    for (int64_t i = 0; i < length; ++i) variance += (begin[i] - mean) * (begin[i] - mean) / double(length);
    for (int64_t i = 0; i < length; ++i) {
      const size_t channel = size_t((g * length + i) / (map.h * map.w));
      begin[i] = (begin[i] - mean) / std::sqrt(variance + 1e-5) * double(scale[channel]) + double(shift[channel]);
    }
  }
  return map;
}

/// In evaluation, eps 1e-5
inline Map batch_norm(Map map, const Weights& weights, const std::string& key) {
  const std::vector<float> scale = weights.of(key + ".weight"), shift = weights.of(key + ".bias");
  const std::vector<float> mean = weights.of(key + ".running_mean"), variance = weights.of(key + ".running_var");
  for (size_t i = 0; i < map.values.size(); ++i) {
    const size_t k = i / size_t(map.h * map.w);
    map.values[i] =
        (map.values[i] - double(mean[k])) / std::sqrt(double(variance[k]) + 1e-5) * double(scale[k]) + double(shift[k]);
  }
  return map;
}

inline Map silu(Map map) {
  for (double& v : map.values) v /= 1 + std::exp(-v);
  return map;
}

inline Map relu(Map map) {
  for (double& v : map.values) v = std::max(v, 0.0);
  return map;
}

inline Map add(Map a, const Map& b) {
  for (size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values[i];
  return a;
}

/// 3x3, stride 2, padding 1
inline Map max_pool(const Map& src) {
  Map dst(src.c, (src.h - 1) / 2 + 1, (src.w - 1) / 2 + 1);
  for (int64_t k = 0; k < dst.c; ++k) {
    for (int64_t y = 0; y < dst.h; ++y) {
      for (int64_t x = 0; x < dst.w; ++x) {
        double largest = -std::numeric_limits<double>::infinity();
        for (int64_t sy = 2 * y - 1; sy <= 2 * y + 1; ++sy) {
          for (int64_t sx = 2 * x - 1; sx <= 2 * x + 1; ++sx) {
            if (src.inside(sy, sx)) largest = std::max(largest, src.at(k, sy, sx));
          }
        }
        dst.at(k, y, x) = largest;
      }
    }
  }
  return dst;
}

/// Mean over the pixels: (C)
inline std::vector<double> pool(const Map& map) {
  std::vector<double> means(size_t(map.c), 0.0);
  for (size_t i = 0; i < map.values.size(); ++i) {
    means[i / size_t(map.h * map.w)] += map.values[i] / double(map.h * map.w);
  }
  return means;
}

inline std::vector<double> linear(const std::vector<double>& x, const Weights& weights, const std::string& key) {
  const std::vector<float> matrix = weights.of(key + ".weight"), bias = weights.of(key + ".bias");
  std::vector<double> out(bias.begin(), bias.end());
  for (size_t o = 0; o < out.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) out[o] += double(matrix[o * x.size() + i]) * x[i];
  }
  return out;
}

}  // namespace moefb::testing::plain

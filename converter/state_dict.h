// The named weights of one .safetensors file. The model builders take them one by one; at the end none may be left.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "converter/safetensors.h"

namespace moefb::convert {

using Extents = std::vector<int64_t>;
inline constexpr int64_t kAny = -1;  ///< in an expected shape: whatever the file says

/// "(8,512)"; kAny is shown as "*".
std::string to_string(const Extents& shape);

class StateDict {
 public:
  /// @throws std::runtime_error if the keys carry the prefix of a training container
  StateDict(safetensors::File file, std::string path);

  const std::string& path() const { return path_; }
  bool has(const std::string& key) const { return file_.tensors.contains(key); }
  /// @param expected  rank and extents, kAny where any will do. @throws std::runtime_error naming tensor and both
  /// shapes
  const Extents& shape(const std::string& key, const Extents& expected) const;
  /// n such that keys begin with prefix + "0." to prefix + "n-1."
  int64_t children(const std::string& prefix) const;

  /// The values of a weight, which count as parameters. Each may be taken once: its memory is given back.
  /// @throws std::runtime_error naming the tensor: missing, of another shape, not of floats, not finite
  std::vector<float> parameter(const std::string& key, const Extents& expected);
  /// Running statistics: values, but no parameters.
  std::vector<float> buffer(const std::string& key, const Extents& expected);
  /// A buffer none of whose values is below 0. @throws std::runtime_error naming the tensor and the value
  std::vector<float> variance(const std::string& key, const Extents& expected);
  /// A parameter that evaluation does not use.
  void count_parameter(const std::string& key, const Extents& expected) { parameter(key, expected); }
  /// A counter of training steps, if there.
  void skip(const std::string& key) { taken(key); }

  int64_t parameters() const { return parameters_; }
  /// @throws std::runtime_error that names a tensor nobody took
  void expect_all_taken() const;

 private:
  void taken(const std::string& key) { file_.tensors.erase(key); }
  /// @throws std::runtime_error naming tensor, element and value, if one is bad
  void refuse(const std::string& key, const std::vector<float>& values, bool (*is_bad)(float),
              const char* expected) const;

  safetensors::File file_;
  std::string path_;
  int64_t parameters_ = 0;
};

}  // namespace moefb::convert

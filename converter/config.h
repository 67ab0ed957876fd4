// config.json of a run or fixture: the keys of design.md, section 9, checked one by one. JSON stays in config.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "schema/moefb_generated.h"

namespace moefb::convert {

enum class Kind : uint8_t { kCifarE2e, kCifarHead, kPatchNet, kResnet18 };
enum class Head : uint8_t { kDense, kSoft, kSparse };  ///< hard is sparse with k = 1

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

/// Absent keys are empty where the design gives no default, or where only a tensor's size can be checked against them.
struct Config {
  std::string path;  ///< for messages
  Kind kind = Kind::kCifarE2e;
  std::optional<Head> head;

  // Needed by some models: see need().
  std::optional<double> temperature;
  std::optional<int64_t> k;
  std::optional<int64_t> patch_size;
  std::optional<double> router_temp;
  std::optional<double> capacity_factor_val;
  std::optional<ImageSize> image;

  // Options; their defaults are what was published.
  fb::CapacityGroup capacity_group = fb::CapacityGroup::batch;
  fb::MaskRule mask_rule = fb::MaskRule::threshold;
  fb::CombineRule combine = fb::CombineRule::published;
  fb::DropPolicy drop_policy = fb::DropPolicy::residual;
  bool crop_padding = false;

  // Pictures and classes. Defaults depend on the family: preprocessing.h.
  std::vector<std::string> class_names;
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> stddev;
  std::optional<fb::ResizeRule> resize;
  std::optional<int64_t> resize_to;
  std::optional<fb::Filter> filter;

  // Sizes that the tensors give: a key that is there must agree.
  std::optional<int64_t> num_classes;
  std::optional<int64_t> num_experts;
  std::optional<int64_t> in_dim;
  std::optional<int64_t> width;
  std::optional<int64_t> width0;
  std::optional<double> hidden_mult;
  std::optional<int64_t> base_channels;
  std::optional<int64_t> layer_number;
  std::optional<bool> identity_stem;

  std::vector<std::string> warnings;  ///< lines for a person

  /// `value`, a member of this, or an error that names the key and who needs it.
  template <typename T>
  const T& need(const std::optional<T>& value, const char* key, const char* who) const {
    if (!value) throw std::runtime_error(path + ": key \"" + key + "\" is missing: " + who + " needs it");
    return *value;
  }

  /// @throws std::runtime_error naming the key and the tensor if `key` is there and differs from what the tensor says
  void expect(const std::optional<int64_t>& value, const char* key, int64_t found, const std::string& tensor) const;
};

/// @throws std::runtime_error that names file, key, value found and value expected: not JSON, a wrong type or range, a
/// kind
///         that has no inference form, an option that is not implemented yet, a model of the uniform routing phase
Config read_config(const std::string& path);
/// The same from memory; `path` is for messages.
Config parse_config(std::string_view text, const std::string& path);

}  // namespace moefb::convert

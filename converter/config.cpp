#include "converter/config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "converter/atomic_file.h"
#include "converter/strict_json.h"

namespace moefb::convert {
namespace {

using Json = nlohmann::json;

constexpr int64_t kUniformEpochs = 10;  // spec/patch-moe.md, section 5: a constant in the published router
constexpr int64_t kMaxSide = 1 << 14;   // of an input image
constexpr int64_t kMaxCount = int64_t{1} << 24;
constexpr size_t kMaxNameBytes = 256;  // docs/format.md, section 4

/// The configuration of a training run: other programs' business. Known, so that they draw no warning.
const std::set<std::string> kInformative = {"train",
                                            "data",
                                            "mode",
                                            "batch",
                                            "checks",
                                            "weights_seed",
                                            "light",
                                            "tied_experts",
                                            "dropout_p",
                                            "dropout_active",
                                            "gate_input_dropout",
                                            "gate_logits_dropout",
                                            "importance_coef",
                                            "load_coef",
                                            "load_estimator",
                                            "kl_coef",
                                            "capacity_factor_train",
                                            "note"};

/// The object of one file. Remembers which keys were asked for.
class Reader {
 public:
  Reader(const std::string& path, const Json& object) : path_(path), object_(object) {}

  [[noreturn]] void fail(const std::string& key, const std::string& expected) const {
    throw std::runtime_error(path_ + ": key \"" + key + "\": expected " + expected + ", found " +
                             shown(object_.at(key)));
  }

  [[noreturn]] void fail_missing(const std::string& key, const std::string& expected) const {
    throw std::runtime_error(path_ + ": key \"" + key + "\" is missing: " + expected);
  }

  /// Null where the key is absent.
  const Json* find(const std::string& key) {
    asked_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  std::optional<int64_t> whole(const std::string& key, int64_t max = kMaxCount) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!is_whole(*value, max)) fail(key, "a whole number from 1 to " + std::to_string(max));
    return value->get<int64_t>();
  }

  std::optional<double> positive(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    // The runtime computes in float: what underflows there would divide by zero.
    if (!value->is_number() || !(value->get<double>() >= double(std::numeric_limits<float>::min())) ||
        !(value->get<double>() <= double(std::numeric_limits<float>::max()))) {
      fail(key, "a number above 0");
    }
    return value->get<double>();
  }

  std::optional<bool> boolean(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_boolean()) fail(key, "true or false");
    return value->get<bool>();
  }

  /// One of `names`. @return its place in the list
  std::optional<size_t> choice(const std::string& key, const std::vector<std::string>& names) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    const auto at = value->is_string() ? std::find(names.begin(), names.end(), value->get<std::string>()) : names.end();
    if (at == names.end()) fail(key, "one of " + list(names));
    return size_t(at - names.begin());
  }

  std::optional<ImageSize> image_size(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (is_whole(*value, kMaxSide)) return ImageSize{value->get<int64_t>(), value->get<int64_t>()};
    if (!value->is_array() || value->size() != 2 || !is_whole((*value)[0], kMaxSide) ||
        !is_whole((*value)[1], kMaxSide)) {
      fail(key, "a side or [height, width], each from 1 to " + std::to_string(kMaxSide));
    }
    return ImageSize{(*value)[0].get<int64_t>(), (*value)[1].get<int64_t>()};
  }

  std::optional<std::array<float, 3>> three_numbers(const std::string& key, bool above_zero) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    const std::string expected = above_zero ? "three numbers above 0" : "three numbers";
    if (!value->is_array() || value->size() != 3) fail(key, expected);
    std::array<float, 3> numbers{};
    for (size_t i = 0; i < 3; ++i) {
      if (!(*value)[i].is_number()) fail(key, expected);
      numbers[i] = (*value)[i].get<float>();
      if (!std::isfinite(numbers[i]) || (above_zero && !(numbers[i] > 0))) fail(key, expected);
    }
    return numbers;
  }

  std::vector<std::string> names(const std::string& key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_array() || value->empty()) fail(key, "a list of names");
    for (const Json& item : *value) {
      if (!is_name(item)) {
        throw std::runtime_error(path_ + ": key \"" + key + "\": expected names of at most " +
                                 std::to_string(kMaxNameBytes) + " bytes without control characters, found " +
                                 shown(item));
      }
    }
    return value->get<std::vector<std::string>>();
  }

  /// Keys of the file that nobody asked for.
  std::vector<std::string> unknown() const {
    std::vector<std::string> keys;
    for (const auto& item : object_.items()) {
      if (!asked_.contains(item.key()) && !kInformative.contains(item.key())) keys.push_back(item.key());
    }
    return keys;
  }

  static std::string list(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : ", ") + word;
    return line;
  }

 private:
  /// What a file takes: it is shown on terminals. That it is UTF-8 the parser has seen to.
  static bool is_name(const Json& value) {
    if (!value.is_string()) return false;
    const auto& text = value.get_ref<const std::string&>();
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    return text.size() <= kMaxNameBytes && std::none_of(text.begin(), text.end(), is_control);
  }

  /// nlohmann turns -2 into 2^64-2 when asked for an unsigned number.
  static bool is_whole(const Json& value, int64_t max) {
    return value.is_number_unsigned() && value.get<uint64_t>() >= 1 && value.get<uint64_t>() <= uint64_t(max);
  }

  const std::string& path_;
  const Json& object_;
  std::set<std::string> asked_;
};

Kind read_kind(Reader& reader) {
  const std::vector<std::string> kinds = {"cifar_e2e", "cifar_head", "patch_net", "resnet18"};
  const std::optional<size_t> kind = reader.choice("kind", kinds);
  if (!kind) reader.fail_missing("kind", "expected one of " + Reader::list(kinds));
  return Kind(*kind);
}

/// Uniform routing is a phase of training; the runtime always routes by score.
void refuse_uniform_phase(Reader& reader) {
  const Json* epoch = reader.find("current_epoch");
  if (epoch == nullptr) return;
  if (!epoch->is_number() || epoch->get<double>() < double(kUniformEpochs)) {
    reader.fail("current_epoch",
                "at least " + std::to_string(kUniformEpochs) + " (before, routing is uniform: a phase of training)");
  }
}

/// `hard` is the sparse head with k = 1.
void read_head(Reader& reader, Config& config) {
  const std::optional<size_t> head = reader.choice("head", {"dense", "soft", "sparse", "hard"});
  config.k = reader.whole("k");
  if (!head) return;
  const bool hard = *head == 3;
  config.head = hard ? Head::kSparse : Head(*head);
  if (hard && config.k.value_or(1) != 1) reader.fail("k", "1, for the head is hard");
  if (hard) config.k = 1;
}

void read_routing(Reader& reader, Config& config) {
  config.temperature = reader.positive("temperature");
  config.patch_size = reader.whole("patch_size", kMaxSide);
  config.router_temp = reader.positive("router_temp");
  config.capacity_factor_val = reader.positive("capacity_factor_val");
  config.capacity_group = fb::CapacityGroup(reader.choice("capacity_group", {"batch", "image", "none"}).value_or(0));
  config.mask_rule = fb::MaskRule(reader.choice("mask_rule", {"threshold", "index"}).value_or(0));
  config.combine = fb::CombineRule(reader.choice("combine_weight", {"published", "gate"}).value_or(0));
  config.drop_policy = fb::DropPolicy(reader.choice("drop_policy", {"residual", "second_choice"}).value_or(0));
  config.crop_padding = reader.boolean("crop_padding").value_or(false);
}

void read_pictures(Reader& reader, Config& config) {
  config.image = reader.image_size("image");
  config.class_names = reader.names("class_names");
  config.mean = reader.three_numbers("mean", false);
  config.stddev = reader.three_numbers("std", true);
  if (const auto rule = reader.choice("resize", {"shorter_side", "stretch"})) config.resize = fb::ResizeRule(*rule);
  config.resize_to = reader.whole("resize_to", kMaxSide);
  if (const auto filter = reader.choice("filter", {"bilinear", "bicubic"})) config.filter = fb::Filter(*filter);
}

void read_sizes(Reader& reader, Config& config) {
  config.num_classes = reader.whole("num_classes");
  config.num_experts = reader.whole("num_experts");
  config.in_dim = reader.whole("in_dim");
  config.width = reader.whole("width");
  config.width0 = reader.whole("width0");
  config.hidden_mult = reader.positive("hidden_mult");
  config.base_channels = reader.whole("base_channels");
  config.layer_number = reader.whole("layer_number");
  config.identity_stem = reader.boolean("identity_stem");
}

}  // namespace

void Config::expect(const std::optional<int64_t>& value, const char* key, int64_t found,
                    const std::string& tensor) const {
  if (!value || *value == found) return;
  throw std::runtime_error(path + ": key \"" + key + "\" is " + std::to_string(*value) + ", but tensor \"" + tensor +
                           "\" says " + std::to_string(found));
}

Config parse_config(std::string_view text, const std::string& path) {
  const Json object = parse_json_object(text, path);
  Reader reader(path, object);
  Config config;
  config.path = path;
  config.kind = read_kind(reader);
  refuse_uniform_phase(reader);
  read_head(reader, config);
  read_routing(reader, config);
  read_pictures(reader, config);
  read_sizes(reader, config);
  const std::vector<std::string> unknown = reader.unknown();
  if (!unknown.empty()) config.warnings.push_back(path + ": unknown keys are ignored: " + Reader::list(unknown));
  return config;
}

Config read_config(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return parse_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace moefb::convert

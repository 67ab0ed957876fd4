#include "converter/state_dict.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace moefb::convert {
namespace {

/// Prefixes that containers of training frameworks put before the model's own keys.
constexpr std::string_view kContainerPrefixes[] = {"model.", "module.", "state_dict.", "_orig_mod."};

void refuse_container(const safetensors::File& file, const std::string& path) {
  for (const auto& [key, tensor] : file.tensors) {
    for (const std::string_view prefix : kContainerPrefixes) {
      if (!key.starts_with(prefix)) continue;
      throw std::runtime_error(path + ": tensor \"" + key + "\" carries the prefix \"" + std::string(prefix) +
                               "\" of a training container: bring it into a run folder with `trainer import` first");
    }
  }
}

bool matches(const Extents& shape, const Extents& expected) {
  return std::equal(shape.begin(), shape.end(), expected.begin(), expected.end(),
                    [](int64_t found, int64_t wanted) { return wanted == kAny ? found > 0 : found == wanted; });
}

}  // namespace

std::string to_string(const Extents& shape) {
  std::string text = "(";
  for (const int64_t extent : shape) {
    if (text.size() > 1) text += ',';
    text += extent == kAny ? "*" : std::to_string(extent);
  }
  return text + ')';
}

StateDict::StateDict(safetensors::File file, std::string path) : file_(std::move(file)), path_(std::move(path)) {
  refuse_container(file_, path_);
}

const Extents& StateDict::shape(const std::string& key, const Extents& expected) const {
  const auto found = file_.tensors.find(key);
  if (found == file_.tensors.end()) throw std::runtime_error(path_ + ": tensor \"" + key + "\" is missing");
  if (!matches(found->second.shape, expected)) {
    throw std::runtime_error(path_ + ": tensor \"" + key + "\" has shape " + to_string(found->second.shape) +
                             ", expected " + to_string(expected));
  }
  return found->second.shape;
}

int64_t StateDict::children(const std::string& prefix) const {
  for (int64_t n = 0;; ++n) {
    const std::string child = prefix + std::to_string(n) + ".";
    const auto first = file_.tensors.lower_bound(child);
    if (first == file_.tensors.end() || !first->first.starts_with(child)) return n;
  }
}

void StateDict::refuse(const std::string& key, const std::vector<float>& values, bool (*is_bad)(float),
                       const char* expected) const {
  const auto bad = std::find_if(values.begin(), values.end(), is_bad);
  if (bad == values.end()) return;
  throw std::runtime_error(path_ + ": tensor \"" + key + "\": element " + std::to_string(bad - values.begin()) +
                           " is " + std::to_string(*bad) + ", expected " + expected);
}

std::vector<float> StateDict::buffer(const std::string& key, const Extents& expected) {
  shape(key, expected);
  std::vector<float> values;
  try {
    values = file_.tensors.at(key).to_f32();
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(path_ + ": tensor \"" + key + "\": " + e.what());
  }
  refuse(
      key, values, [](float v) { return !std::isfinite(v); }, "a finite number");
  taken(key);
  return values;
}

std::vector<float> StateDict::variance(const std::string& key, const Extents& expected) {
  std::vector<float> values = buffer(key, expected);
  refuse(
      key, values, [](float v) { return v < 0; }, "0 or more");
  return values;
}

std::vector<float> StateDict::parameter(const std::string& key, const Extents& expected) {
  std::vector<float> values = buffer(key, expected);
  parameters_ += static_cast<int64_t>(values.size());
  return values;
}

void StateDict::expect_all_taken() const {
  if (file_.tensors.empty()) return;
  std::string message =
      path_ + ": tensor \"" + file_.tensors.begin()->first + "\" is unexpected in a model of this kind";
  if (file_.tensors.size() > 1) message += " (and " + std::to_string(file_.tensors.size() - 1) + " more)";
  throw std::runtime_error(message);
}

}  // namespace moefb::convert

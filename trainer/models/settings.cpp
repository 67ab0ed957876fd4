#include "trainer/models/settings.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "converter/strict_json.h"

namespace moefb::trainer {
namespace {

const nlohmann::json kEmptyObject = nlohmann::json::object();

std::string join(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : ", ") + word;
  return line;
}

/// An unsigned value above INT64_MAX would wrap: is_number_integer() alone lets it through.
bool fits_int64(const nlohmann::json& value) {
  return value.is_number_integer() && !(value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX));
}

template <typename T>
std::string range(T min, T max) {
  std::ostringstream text;
  text << " from " << min << " to " << max;
  return text.str();
}

}  // namespace

Settings::Settings(const nlohmann::json& object, std::string source, std::string prefix)
    : object_(&object), source_(std::move(source)), prefix_(std::move(prefix)) {
  if (!object.is_object()) throw std::runtime_error(source_ + ": expected an object, found " + shown(object));
}

void Settings::fail(const std::string& key, const std::string& message) const {
  throw std::runtime_error(source_ + ": " + prefix_ + key + ": " + message);
}

const nlohmann::json* Settings::find(const std::string& key) {
  read_.insert(key);
  const auto found = object_->find(key);
  return found == object_->end() ? nullptr : &*found;
}

bool Settings::has(const std::string& key) {
  return find(key) != nullptr;
}

bool Settings::boolean(const std::string& key, bool fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (!value->is_boolean()) fail(key, "expected true or false, found " + shown(*value));
  return value->get<bool>();
}

int64_t Settings::integer(const std::string& key, int64_t fallback, int64_t min, int64_t max) {
  const auto* value = find(key);
  if (!value) return fallback;
  const bool fits = fits_int64(*value) && value->get<int64_t>() >= min && value->get<int64_t>() <= max;
  if (!fits) fail(key, "expected a whole number" + range(min, max) + ", found " + shown(*value));
  return value->get<int64_t>();
}

double Settings::number(const std::string& key, double fallback, double min, double max) {
  const auto* value = find(key);
  if (!value) return fallback;
  const bool fits = value->is_number() && value->get<double>() >= min && value->get<double>() <= max;
  if (!fits) fail(key, "expected a number" + range(min, max) + ", found " + shown(*value));
  return value->get<double>();
}

std::string Settings::text(const std::string& key, const std::string& fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (!value->is_string()) fail(key, "expected a text, found " + shown(*value));
  return value->get<std::string>();
}

size_t Settings::choice(const std::string& key, size_t fallback, const std::vector<std::string>& names) {
  const std::string name = text(key, names.at(fallback));
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail(key, "expected one of " + join(names) + ", found \"" + name + "\"");
  return size_t(found - names.begin());
}

std::vector<int64_t> Settings::integers(const std::string& key, const std::vector<int64_t>& fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), fits_int64)) {
    fail(key, "expected a list of whole numbers, found " + shown(*value));
  }
  return value->get<std::vector<int64_t>>();
}

std::vector<int64_t> Settings::one_or_more(const std::string& key, const std::vector<int64_t>& fallback, int64_t min,
                                           int64_t max) {
  const auto* value = find(key);
  if (!value) return fallback;
  const auto fits = [min, max](const nlohmann::json& item) {
    return fits_int64(item) && item.get<int64_t>() >= min && item.get<int64_t>() <= max;
  };
  if (fits(*value)) return {value->get<int64_t>()};
  if (!value->is_array() || value->empty() || !std::all_of(value->begin(), value->end(), fits)) {
    fail(key, "expected one whole number or a list of them," + range(min, max) + ", found " + shown(*value));
  }
  return value->get<std::vector<int64_t>>();
}

std::vector<double> Settings::numbers(const std::string& key, const std::vector<double>& fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  const auto finite = [](const nlohmann::json& item) { return item.is_number() && std::isfinite(item.get<double>()); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), finite)) {
    fail(key, "expected a list of finite numbers, found " + shown(*value));
  }
  return value->get<std::vector<double>>();
}

std::vector<std::string> Settings::texts(const std::string& key) {
  const auto* value = find(key);
  if (!value) return {};
  const auto textual = [](const nlohmann::json& item) { return item.is_string(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), textual)) {
    fail(key, "expected a list of texts, found " + shown(*value));
  }
  return value->get<std::vector<std::string>>();
}

Settings Settings::object(const std::string& key) {
  const auto* value = find(key);
  if (value && !value->is_object()) fail(key, "expected an object, found " + shown(*value));
  return Settings(value ? *value : kEmptyObject, source_, prefix_ + key + ".");
}

void Settings::finish() const {
  for (const auto& item : object_->items()) {
    if (read_.contains(item.key())) continue;
    fail(item.key(), "unknown key; expected one of " + join({read_.begin(), read_.end()}));
  }
}

}  // namespace moefb::trainer

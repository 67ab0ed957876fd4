#include "trainer/train/config_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "converter/atomic_file.h"

namespace moefb::trainer {
namespace {

/// Bounds how deep dotted keys can nest: toml++ and we ourselves walk tables by recursion.
constexpr int64_t kMaxDots = 4096;
constexpr int64_t kMaxDotsInArgument = 8;

void check_dots(std::string_view text, int64_t most, const std::string& where) {
  const auto dots = std::count(text.begin(), text.end(), '.');
  if (dots <= most) return;
  throw std::runtime_error(where + ": expected at most " + std::to_string(most) + " dots, found " +
                           std::to_string(dots) + ": keys must not nest without end");
}

/// @param where  file or argument, for messages
nlohmann::json to_json(const toml::node& node, const std::string& where) {
  if (const auto* table = node.as_table()) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : *table) json[std::string(key.str())] = to_json(value, where);
    return json;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json json = nlohmann::json::array();
    for (const auto& value : *array) json.push_back(to_json(value, where));
    return json;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  std::ostringstream message;
  message << where << ": dates and times are not used here, found one in line " << node.source().begin.line;
  throw std::runtime_error(message.str());
}

bool is_utf8(const nlohmann::json& text) {
  try {
    static_cast<void>(text.dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

nlohmann::json parse_value(const std::string& text, const std::string& where) {
  check_dots(text, kMaxDots, where);
  try {
    return to_json(*toml::parse("value = " + text).get("value"), where);
  } catch (const toml::parse_error&) {
    if (!is_utf8(text)) throw std::runtime_error(where + ": the value is not UTF-8");
    return text;
  }
}

void apply(nlohmann::json& json, const std::string& set) {
  const size_t equals = set.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw std::runtime_error("--set " + set + ": expected key=value or table.key=value");
  }
  nlohmann::json* object = &json;
  std::string key = set.substr(0, equals);
  const std::string where = "--set " + key;
  check_dots(key, kMaxDotsInArgument, where);
  for (size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
    object = &(*object)[key.substr(0, dot)];
    if (!object->is_object() && !object->is_null()) {
      throw std::runtime_error("--set " + set + ": " + key.substr(0, dot) + " is not a table");
    }
    key = key.substr(dot + 1);
  }
  (*object)[key] = parse_value(set.substr(equals + 1), where);
}

}  // namespace

nlohmann::json read_toml(const std::string& path, const std::vector<std::string>& sets) {
  const std::vector<std::byte> bytes = read_file(path);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  check_dots(text, kMaxDots, path);
  nlohmann::json json;
  try {
    json = to_json(toml::parse(text, path), path);
  } catch (const toml::parse_error& error) {
    std::ostringstream message;
    message << path << ": " << error.description();
    if (error.source().begin.line > 0) message << " in line " << error.source().begin.line;
    throw std::runtime_error(message.str());
  }
  for (const auto& set : sets) apply(json, set);
  return json;
}

}  // namespace moefb::trainer

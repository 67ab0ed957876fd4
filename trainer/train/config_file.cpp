#include "trainer/train/config_file.h"

#include <toml++/toml.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace moefb::trainer {
namespace {

nlohmann::json to_json(const toml::node& node) {
  if (const auto* table = node.as_table()) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [key, value] : *table) json[std::string(key.str())] = to_json(value);
    return json;
  }
  if (const auto* array = node.as_array()) {
    nlohmann::json json = nlohmann::json::array();
    for (const auto& value : *array) json.push_back(to_json(value));
    return json;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  std::ostringstream message;
  message << "dates and times are not used here, found one in line " << node.source().begin.line;
  throw std::runtime_error(message.str());
}

nlohmann::json parse_value(const std::string& text) {
  try {
    return to_json(*toml::parse("value = " + text).get("value"));
  } catch (const toml::parse_error&) {
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
  for (size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
    object = &(*object)[key.substr(0, dot)];
    if (!object->is_object() && !object->is_null()) {
      throw std::runtime_error("--set " + set + ": " + key.substr(0, dot) + " is not a table");
    }
    key = key.substr(dot + 1);
  }
  (*object)[key] = parse_value(set.substr(equals + 1));
}

}  // namespace

nlohmann::json read_toml(const std::string& path, const std::vector<std::string>& sets) {
  nlohmann::json json;
  try {
    json = to_json(toml::parse_file(path));
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

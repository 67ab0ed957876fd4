#include "converter/strict_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <vector>

namespace moefb {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxShownBytes = 120;

/// Sees every token while nlohmann parses, before a value can be lost or a depth be reached.
class Guard {
 public:
  Guard(const std::string& name, int max_depth) : name_(name), max_depth_(max_depth) {}

  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > max_depth_) fail("nested deeper than " + std::to_string(max_depth_) + " levels");
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end) keys_.pop_back();
    // nlohmann would keep the last of two.
    if (event == Json::parse_event_t::key && !keys_.back().insert(parsed.get<std::string>()).second) {
      fail("key " + shown(parsed) + " appears twice");
    }
    return true;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw std::runtime_error(name_ + ": " + what); }

  const std::string& name_;
  int max_depth_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

/// `text` at most kMaxShownBytes long, not cut inside a UTF-8 character.
std::string shortened(std::string text) {
  if (text.size() <= kMaxShownBytes) return text;
  size_t end = kMaxShownBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

Json parse_json_object(std::string_view text, const std::string& name, int max_depth) {
  // nlohmann takes it for the end and reads no further.
  if (text.find('\0') != text.npos) throw std::runtime_error(name + ": not valid JSON: holds a zero byte");
  Json object;
  try {
    object = Json::parse(text, Guard(name, max_depth));
  } catch (const Json::exception& e) {
    throw std::runtime_error(name + ": not valid JSON: " + e.what());
  }
  if (!object.is_object()) throw std::runtime_error(name + ": expected a JSON object, found " + shown(object));
  return object;
}

std::string shown(const Json& value) {
  // As JSON they are all null.
  if (value.is_number_float() && std::isnan(value.get<double>())) return "nan";
  if (value.is_number_float() && std::isinf(value.get<double>())) return value.get<double>() > 0 ? "inf" : "-inf";
  return shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace moefb

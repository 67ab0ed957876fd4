#include "trainer/train/sweep_grid.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <stdexcept>

namespace moefb::trainer {
namespace {

constexpr size_t kMaxPoints = 10'000;
constexpr size_t kMaxName = 200;  // a file name has 255 bytes, and the log's adds four

[[noreturn]] void fail(const std::string& text, const std::string& message) {
  throw std::runtime_error("--grid " + text + ": " + message);
}

/// At commas outside brackets and quotes.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '[') ++depth;
    if (!quoted && c == ']') --depth;
    if (c == ',' && !quoted && depth == 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

std::string last_part(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

/// What each axis is called in names.
std::vector<std::string> short_keys(const std::vector<GridAxis>& axes) {
  std::vector<std::string> names;
  for (const GridAxis& axis : axes) {
    const auto ends_alike = [&](const GridAxis& other) { return last_part(other.key) == last_part(axis.key); };
    names.push_back(std::count_if(axes.begin(), axes.end(), ends_alike) > 1 ? axis.key : last_part(axis.key));
  }
  return names;
}

std::string as_file_name(std::string value) {
  for (char& c : value) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && std::string_view("._+-").find(c) == std::string_view::npos)
      c = '_';
  }
  return value;
}

GridPoint make_point(const std::vector<GridAxis>& axes, const std::vector<std::string>& keys, size_t index) {
  GridPoint point;
  for (size_t axis = axes.size(); axis-- > 0;) {
    const std::vector<std::string>& values = axes[axis].values;
    const std::string& value = values[index % values.size()];
    index /= values.size();
    point.parameters.insert(point.parameters.begin(), {axes[axis].key, value});
    point.name = keys[axis] + "=" + as_file_name(value) + (point.name.empty() ? "" : "," + point.name);
  }
  return point;
}

void check_keys(const std::vector<GridAxis>& axes) {
  if (axes.empty()) throw std::runtime_error("a sweep needs a --grid, 'train.learning_rate=0.05,0.1' say");
  std::set<std::string> keys;
  for (const GridAxis& axis : axes) {
    if (!keys.insert(axis.key).second) fail(axis.key, "the key has a --grid already");
  }
}

size_t count_points(const std::vector<GridAxis>& axes) {
  size_t count = 1;
  for (const GridAxis& axis : axes) {
    count *= axis.values.size();
    if (count > kMaxPoints) {
      throw std::runtime_error("expected a grid of at most " + std::to_string(kMaxPoints) + " runs, found more");
    }
  }
  return count;
}

}  // namespace

std::vector<std::string> GridPoint::sets() const {
  std::vector<std::string> sets;
  for (const auto& [key, value] : parameters) sets.push_back(key + "=" + value);
  return sets;
}

GridAxis parse_grid_axis(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) fail(text, "expected key=value,value");
  GridAxis axis{text.substr(0, equals), split_values(text.substr(equals + 1))};
  std::set<std::string> seen;
  for (const std::string& value : axis.values) {
    if (value.empty()) fail(text, "a value is empty");
    if (!seen.insert(value).second) fail(text, "the value " + value + " is there twice");
  }
  return axis;
}

std::vector<GridPoint> grid_points(const std::vector<GridAxis>& axes) {
  check_keys(axes);
  const std::vector<std::string> keys = short_keys(axes);
  std::vector<GridPoint> points;
  std::set<std::string> names;
  for (size_t index = 0; index < count_points(axes); ++index) {
    points.push_back(make_point(axes, keys, index));
    const std::string& name = points.back().name;
    if (name.size() > kMaxName) throw std::runtime_error("a run's name would be too long for a folder: " + name);
    if (!names.insert(name).second) throw std::runtime_error("two runs of the grid would be called " + name);
  }
  return points;
}

}  // namespace moefb::trainer

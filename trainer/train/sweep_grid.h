// The grid of a sweep: which values its settings take, and what the runs at its points are called.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace moefb::trainer {

struct GridAxis {
  std::string key;                  ///< as after --set: train.learning_rate
  std::vector<std::string> values;  ///< at least one, each as it would stand in TOML
};

struct GridPoint {
  std::string name;                                             ///< a file name: learning_rate=0.1,seed=2
  std::vector<std::pair<std::string, std::string>> parameters;  ///< key and value, in the order of the axes

  /// As for --set.
  std::vector<std::string> sets() const;
};

/// Reads "train.learning_rate=0.05,0.1". A comma inside brackets or quotes belongs to a value.
/// @throws std::runtime_error that quotes the text: no key, no value, an empty one, one that is there twice
GridAxis parse_grid_axis(const std::string& text);

/// All combinations, the last axis changing fastest. A name has of a key the part after its last dot, or all of it
/// where two keys end alike; signs that file names should not have become `_`.
/// @throws std::runtime_error  no axis, a key twice, or two points of one name
std::vector<GridPoint> grid_points(const std::vector<GridAxis>& axes);

}  // namespace moefb::trainer

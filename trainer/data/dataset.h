// What a training run reads: pictures in memory, their labels, and how they are normalised.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "moefb/image.h"

namespace moefb::trainer {

/// Pictures of one size, 8 bits a channel, RGB, rows top to bottom, pixels interleaved.
struct PictureSet {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> pixels;  ///< (size(), height, width, 3)
  std::vector<int64_t> labels;  ///< (size())
  /// (size()) where each lies under the data set's folder; empty where a picture is no file of its own.
  std::vector<std::string> files;

  int64_t size() const { return int64_t(labels.size()); }
  size_t picture_bytes() const { return size_t(height) * size_t(width) * 3; }
  std::span<const uint8_t> picture(int64_t index) const {
    return {pixels.data() + size_t(index) * picture_bytes(), picture_bytes()};
  }
  std::span<uint8_t> picture(int64_t index) {
    return {pixels.data() + size_t(index) * picture_bytes(), picture_bytes()};
  }
};

struct Dataset {
  std::string name;
  std::vector<std::string> class_names;
  PictureSet train;
  PictureSet val;             ///< selects the epoch (spec/cifar-heads.md, section 9)
  PictureSet test;            ///< only ever reported
  float mean[3] = {0, 0, 0};  ///< of values in 0..1
  float stddev[3] = {1, 1, 1};
  std::vector<std::string> notes;  ///< lines for a person: what was left out
};

/// How pictures of any size become the model's input, at its own size. The model file gets the same rule.
struct PictureRule {
  ResizeRule resize = ResizeRule::kShorterSide;
  int resize_to = 0;  ///< 0: the model's side
  Filter filter = Filter::kBilinear;
};

/// The [data] table of a configuration.
struct DataConfig {
  std::string name = "shapes";  ///< or "cifar10", "folder"
  std::string path;             ///< the folder of a data set that lies in files; empty for `shapes`
  int image = 32;               ///< side of the pictures in pixels
  uint64_t seed = 42;           ///< draws the pictures of `shapes`; splits train from val elsewhere
  int64_t train_size = 0;       ///< 0: the data set's own size
  int64_t val_size = 0;
  int64_t test_size = 0;

  // Of `folder` alone; the others have pictures of the model's size, and constants of their own.
  PictureRule picture = {};
  std::optional<std::array<float, 3>> mean = std::nullopt;  ///< instead of those of the training pictures
  std::optional<std::array<float, 3>> stddev = std::nullopt;
  bool skip_unreadable = false;  ///< leave such pictures out, with a note, instead of refusing them
};

/// Told now and then, on the calling thread, how many pictures have been read. May be empty.
using LoadProgress = std::function<void(int64_t done, int64_t total)>;

/// @throws std::runtime_error that names the data set or value found and what was expected
Dataset load_dataset(const DataConfig& config, const LoadProgress& progress = nullptr);

}  // namespace moefb::trainer

// What a training run reads: pictures in memory or in files, their labels, and how they are normalised.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "moefb/image.h"

namespace moefb::trainer {

/// How pictures of any size become the model's input, at its own size. The model file gets the same rule.
struct PictureRule {
  ResizeRule resize = ResizeRule::kShorterSide;
  int resize_to = 0;  ///< 0: the model's side
  Filter filter = Filter::kBilinear;
};

/// Pictures of one size, 8 bits a channel, RGB, rows top to bottom, pixels interleaved. A *streamed* set holds no
/// pixels: its files are decoded each time a picture is needed (prepared_picture.h), so it may be larger than memory.
struct PictureSet {
  int height = 0;  ///< the model's, of a streamed set too
  int width = 0;
  std::vector<uint8_t> pixels;  ///< (size(), height, width, 3); empty if streamed
  std::vector<int64_t> labels;  ///< (size())
  /// (size()) where each lies under the data set's folder; empty where a picture is no file of its own.
  std::vector<std::string> files;
  std::string root;  ///< of a streamed set: the folder that `files` lie under

  int64_t size() const { return int64_t(labels.size()); }
  bool streamed() const { return pixels.empty() && !files.empty(); }
  size_t picture_bytes() const { return size_t(height) * size_t(width) * 3; }
  /// @throws std::logic_error  the set is streamed
  std::span<const uint8_t> picture(int64_t index) const {
    require_pixels();
    return {pixels.data() + size_t(index) * picture_bytes(), picture_bytes()};
  }
  std::span<uint8_t> picture(int64_t index) {
    require_pixels();
    return {pixels.data() + size_t(index) * picture_bytes(), picture_bytes()};
  }

 private:
  void require_pixels() const {
    if (streamed()) throw std::logic_error("pictures of a streamed set lie in files: use prepared_picture()");
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
  PictureRule picture;             ///< how the files of streamed sets become pictures of the model's size
  std::vector<std::string> notes;  ///< lines for a person: what was left out
};

/// The [data] table of a configuration.
struct DataConfig {
  std::string name = "shapes";  ///< or "cifar10", "folder", "tiny-imagenet"
  std::string path;             ///< the folder of a data set that lies in files; empty for `shapes`
  int image = 32;               ///< side of the pictures in pixels
  uint64_t seed = 42;           ///< draws the pictures of `shapes`; splits train from val elsewhere
  int64_t train_size = 0;       ///< 0: the data set's own size
  int64_t val_size = 0;
  int64_t test_size = 0;

  // Of `folder` and `tiny-imagenet`; the others have pictures of the model's size, and constants of their own.
  PictureRule picture = {};
  std::optional<std::array<float, 3>> mean = std::nullopt;  ///< instead of those of the training pictures
  std::optional<std::array<float, 3>> stddev = std::nullopt;
  bool skip_unreadable = false;  ///< `folder`: leave such pictures out, with a note, instead of refusing them
  /// `folder`: decode pictures when they are needed instead of once. `tiny-imagenet` always does.
  bool stream = false;
  std::vector<std::string> classes = {};  ///< `tiny-imagenet`: WordNet ids of the classes to take; empty: all
};

/// Told now and then, on the calling thread, how many pictures have been read. May be empty.
using LoadProgress = std::function<void(int64_t done, int64_t total)>;

/// @throws std::runtime_error that names the data set or value found and what was expected
Dataset load_dataset(const DataConfig& config, const LoadProgress& progress = nullptr);

}  // namespace moefb::trainer

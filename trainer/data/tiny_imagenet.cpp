#include "trainer/data/tiny_imagenet.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include "trainer/data/picture_files.h"
#include "trainer/data/split.h"
#include "trainer/data/tiny_imagenet_files.h"

namespace moefb::trainer {
namespace {

using Files = std::vector<PictureFile>;

constexpr float kMean[3] = {0.485f, 0.456f, 0.406f};
constexpr float kStddev[3] = {0.229f, 0.224f, 0.225f};

/// Sorted: a class' index is its rank.
std::vector<std::string> chosen_classes(const DataConfig& config) {
  const std::vector<std::string> all = read_wnids(config.path);
  if (config.classes.empty()) return all;
  std::vector<std::string> chosen = config.classes;
  std::ranges::sort(chosen);
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!std::ranges::binary_search(all, chosen[i])) {
      throw std::runtime_error("data set tiny-imagenet: expected in classes ids of " + config.path +
                               "/wnids.txt, found \"" + chosen[i] + "\"");
    }
    if (i > 0 && chosen[i] == chosen[i - 1]) {
      throw std::runtime_error("data set tiny-imagenet: classes: found \"" + chosen[i] + "\" twice");
    }
  }
  if (chosen.size() < 2) {
    throw std::runtime_error("data set tiny-imagenet: expected at least 2 classes, found " +
                             std::to_string(chosen.size()));
  }
  return chosen;
}

std::vector<std::string> names_of(const std::string& root, const std::vector<std::string>& wnids) {
  std::vector<std::string> names = read_names(root, wnids);
  std::map<std::string, int> uses;
  for (const std::string& name : names) ++uses[name];
  for (size_t i = 0; i < names.size(); ++i) {
    if (uses[names[i]] > 1) names[i] += " " + wnids[i];
  }
  return names;
}

PictureRule picture_rule(const DataConfig& config) {
  if (config.picture.resize_to != 0) return config.picture;
  return {ResizeRule::kShorterSide, int(std::lround(config.image * 256.0 / 224)), Filter::kBicubic};
}

void settle_colours(const DataConfig& config, Dataset& dataset) {
  for (size_t c = 0; c < 3; ++c) {
    dataset.mean[c] = config.mean ? (*config.mean)[c] : kMean[c];
    dataset.stddev[c] = config.stddev ? (*config.stddev)[c] : kStddev[c];
  }
}

void settle_sets(const DataConfig& config, Files train, Files test, Dataset& dataset) {
  const auto classes = int64_t(dataset.class_names.size());
  const auto taken = [&](Files& from, const char* key, int64_t asked, int64_t leave, uint64_t set) {
    const int64_t count = size_within("tiny-imagenet", key, asked, int64_t(from.size()) - leave);
    return stream_pictures(config, take(from, count, classes, Random(config.seed, Stream::kSplit, set)));
  };
  dataset.test = taken(test, "test_size", config.test_size, 0, 2);
  dataset.val = config.val_size == 0 ? dataset.test : taken(train, "val_size", config.val_size, 1, 1);
  dataset.train = taken(train, "train_size", config.train_size, 0, 0);
}

void check_classes(const Dataset& dataset) {
  const std::set<int64_t> seen(dataset.train.labels.begin(), dataset.train.labels.end());
  for (size_t label = 0; label < dataset.class_names.size(); ++label) {
    if (seen.contains(int64_t(label))) continue;
    throw std::runtime_error("data set tiny-imagenet: class " + dataset.class_names[label] +
                             " keeps no picture to train on: expected a larger train_size or a smaller val_size");
  }
}

}  // namespace

Dataset load_tiny_imagenet(const DataConfig& config) {
  const std::vector<std::string> wnids = chosen_classes(config);
  Dataset dataset;
  dataset.name = "tiny-imagenet";
  dataset.class_names = names_of(config.path, wnids);
  dataset.picture = picture_rule(config);
  settle_colours(config, dataset);
  settle_sets(config, list_train(config.path, wnids), list_val(config.path, wnids), dataset);
  check_classes(dataset);
  return dataset;
}

}  // namespace moefb::trainer

#include "trainer/data/folder.h"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "trainer/data/class_folders.h"
#include "trainer/data/colour_statistics.h"
#include "trainer/data/picture_files.h"
#include "trainer/data/split.h"

namespace moefb::trainer {
namespace {

using Files = std::vector<PictureFile>;

/// A set without a folder of its own is taken out of the training pictures; another one is cut to the size asked for.
void settle_set(Files& set, Files& train, const char* key, int64_t asked, int64_t tenth, int64_t classes,
                const Random& random) {
  if (!set.empty()) {
    set = take(set, size_within("folder", key, asked, int64_t(set.size())), classes, random);
  } else {
    const int64_t count = asked == 0 ? tenth : size_within("folder", key, asked, int64_t(train.size()) - 1);
    set = take(train, count, classes, random);
  }
}

void split(const DataConfig& config, ClassFolders& listed) {
  const auto classes = int64_t(listed.class_names.size());
  const auto random = [&](uint64_t set) { return Random(config.seed, Stream::kSplit, set); };
  const int64_t tenth = std::max<int64_t>(1, int64_t(listed.train.size()) / 10);
  settle_set(listed.test, listed.train, "test_size", config.test_size, tenth, classes, random(2));
  settle_set(listed.val, listed.train, "val_size", config.val_size, tenth, classes, random(1));
  const int64_t count = size_within("folder", "train_size", config.train_size, int64_t(listed.train.size()));
  listed.train = take(listed.train, count, classes, random(0));
}

void check_memory(const DataConfig& config, const ClassFolders& listed) {
  const double count = double(listed.train.size() + listed.val.size() + listed.test.size());
  const double needed = count * 3 * config.image * config.image;
  const double memory = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
  if (needed < memory) return;
  throw std::runtime_error("data set folder: " + std::to_string(int64_t(count)) + " pictures of " +
                           std::to_string(config.image) + "x" + std::to_string(config.image) + " need " +
                           std::to_string(int64_t(needed / 1e6)) + " MB, more than the machine's " +
                           std::to_string(int64_t(memory / 1e6)) + " MB: choose a smaller image, or train_size");
}

void check_classes(const Dataset& dataset) {
  std::vector<bool> seen(dataset.class_names.size());
  for (const int64_t label : dataset.train.labels) seen[size_t(label)] = true;
  const auto missing = std::ranges::find(seen, false);
  if (missing == seen.end()) return;
  throw std::runtime_error("data set folder: class " + dataset.class_names[size_t(missing - seen.begin())] +
                           " keeps no picture to train on: it needs more pictures, or the other sets fewer");
}

PictureSet load_set(const DataConfig& config, const Files& files, const LoadProgress& progress,
                    std::vector<std::string>& notes) {
  return config.stream ? stream_pictures(config, files) : load_pictures(config, files, progress, notes);
}

void settle_colours(const DataConfig& config, const LoadProgress& progress, Dataset& dataset) {
  if (!config.mean || !config.stddev) measure_colours(dataset, dataset.train.streamed() ? progress : nullptr);
  for (size_t c = 0; c < 3; ++c) {
    if (config.mean) dataset.mean[c] = (*config.mean)[c];
    if (config.stddev) dataset.stddev[c] = (*config.stddev)[c];
  }
}

void check_options(const DataConfig& config) {
  if (!config.stream || !config.skip_unreadable) return;
  throw std::runtime_error(
      "data set folder: streamed pictures are read when they are needed, too late to leave unreadable ones out: "
      "expected "
      "to refuse them, found to skip them");
}

}  // namespace

Dataset load_folder(const DataConfig& config, const LoadProgress& progress) {
  check_options(config);
  ClassFolders listed = list_class_folders(config.path);
  split(config, listed);
  if (!config.stream) check_memory(config, listed);
  Dataset dataset;
  dataset.name = "folder";
  dataset.class_names = listed.class_names;
  dataset.notes = listed.notes;
  dataset.picture = config.picture;
  const auto total = int64_t(listed.train.size() + listed.val.size() + listed.test.size());
  int64_t before = 0;
  const auto load = [&](const Files& files) {
    const LoadProgress report = [&](int64_t done, int64_t) { progress(before + done, total); };
    PictureSet set = load_set(config, files, progress ? report : nullptr, dataset.notes);
    before += int64_t(files.size());
    return set;
  };
  dataset.train = load(listed.train);
  dataset.val = load(listed.val);
  dataset.test = load(listed.test);
  check_classes(dataset);
  settle_colours(config, progress, dataset);
  return dataset;
}

}  // namespace moefb::trainer

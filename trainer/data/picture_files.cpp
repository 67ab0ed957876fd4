#include "trainer/data/picture_files.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>

#include "trainer/data/parallel.h"
#include "trainer/data/prepared_picture.h"
#include "trainer/data/split.h"

namespace moefb::trainer {
namespace {

Status load_one(const std::string& path, const Preprocessing& rule, std::span<uint8_t> pixels) {
  const Result<Image> image = load_image(path.c_str());
  return image.ok() ? resize_and_crop(*image, rule, pixels) : image.status();
}

std::string full_path(const DataConfig& config, const std::string& file) {
  return (std::filesystem::path(config.path) / file).string();
}

/// Pictures that could not be read, by index.
class Failures {
 public:
  void add(int64_t index, const Status& status) {
    const std::lock_guard lock(mutex_);
    by_index_[index] = status;
    any_ = true;
  }
  bool any() const { return any_; }
  const std::map<int64_t, Status>& by_index() const { return by_index_; }

 private:
  std::mutex mutex_;
  std::map<int64_t, Status> by_index_;
  std::atomic<bool> any_ = false;
};

std::string describe_first(const DataConfig& config, std::span<const PictureFile> files, const Failures& failures) {
  const auto& [index, status] = *failures.by_index().begin();
  char text[256];
  return full_path(config, files[size_t(index)].path) + ": " + status.describe(text, sizeof(text));
}

/// Closes the gaps that unreadable pictures left.
void drop(const std::map<int64_t, Status>& failures, PictureSet& set) {
  size_t kept = 0;
  for (int64_t i = 0; i < set.size(); ++i) {
    if (failures.contains(i)) continue;
    std::ranges::copy(set.picture(i), set.picture(int64_t(kept)).begin());
    set.labels[kept] = set.labels[size_t(i)];
    set.files[kept] = set.files[size_t(i)];
    ++kept;
  }
  set.labels.resize(kept);
  set.files.resize(kept);
  set.pixels.resize(kept * set.picture_bytes());
}

PictureSet set_without_pixels(const DataConfig& config, std::span<const PictureFile> files) {
  PictureSet set;
  set.height = set.width = config.image;
  for (const PictureFile& file : files) {
    set.labels.push_back(file.label);
    set.files.push_back(file.path);
  }
  return set;
}

}  // namespace

PictureSet stream_pictures(const DataConfig& config, std::span<const PictureFile> files) {
  PictureSet set = set_without_pixels(config, files);
  set.root = config.path;
  return set;
}

std::vector<PictureFile> take(std::vector<PictureFile>& from, int64_t count, int64_t classes, const Random& random) {
  std::vector<int64_t> labels;
  for (const PictureFile& file : from) labels.push_back(file.label);
  const std::vector<int64_t> order = balanced_order(labels, classes, random);
  std::vector<bool> taken(from.size());
  for (const int64_t i : std::span(order).first(size_t(count))) taken[size_t(i)] = true;
  std::vector<PictureFile> out, rest;
  for (size_t i = 0; i < from.size(); ++i) (taken[i] ? out : rest).push_back(std::move(from[i]));
  from = std::move(rest);
  return out;
}

PictureSet load_pictures(const DataConfig& config, std::span<const PictureFile> files, const LoadProgress& progress,
                         std::vector<std::string>& notes) {
  PictureSet set = set_without_pixels(config, files);
  set.pixels.resize(files.size() * set.picture_bytes());
  const Preprocessing rule = resize_rule(config.picture, config.image, config.image);
  Failures failures;
  const auto load = [&](int64_t i) {
    if (failures.any() && !config.skip_unreadable) return;
    const Status status = load_one(full_path(config, files[size_t(i)].path), rule, set.picture(i));
    if (!status.ok()) failures.add(i, status);
  };
  on_threads(set.size(), 0, load, [&](int64_t begun) {
    if (progress) progress(begun, set.size());
  });
  if (progress) progress(set.size(), set.size());
  if (!failures.any()) return set;
  const std::string first = describe_first(config, files, failures);
  if (!config.skip_unreadable) throw std::runtime_error(first);
  const size_t others = failures.by_index().size() - 1;
  notes.push_back("left out, as unreadable: " + first + (others > 0 ? " and " + std::to_string(others) + " more" : ""));
  drop(failures.by_index(), set);
  return set;
}

}  // namespace moefb::trainer

// The folder of one training run: which files it has, and that it holds one run only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "trainer/train/folder_lock.h"

namespace moefb::trainer {

class RunFolder {
 public:
  /// Makes the folder for a new run. @throws std::runtime_error where it already holds one, or cannot be made
  static RunFolder create(const std::string& path);
  /// The folder of an existing run. @throws std::runtime_error where it holds none
  static RunFolder open(const std::string& path);

  /// The folder of a run whose files another process writes.
  static RunFolder of_another(const std::string& path) { return RunFolder(path); }

  /// For the one process that writes here, until the last copy of this object is gone. Removes what a killed program
  /// left of files that it was writing. @throws std::runtime_error  another process has claimed the folder
  void claim();

  const std::string& path() const { return path_; }
  std::string config() const { return path_ + "/config.json"; }
  std::string kept_weights() const { return path_ + "/model.safetensors"; }
  /// Of `train.keep_every`. @param epoch  from 1
  std::string epoch_weights(int64_t epoch) const;
  std::string last_weights() const { return path_ + "/last.safetensors"; }
  std::string optimizer() const { return path_ + "/optimizer.safetensors"; }
  std::string golden() const { return path_ + "/golden.safetensors"; }
  std::string metrics() const { return path_ + "/metrics.jsonl"; }
  /// For TensorBoard, which knows such files by the `tfevents` in their names.
  std::string events() const { return path_ + "/tensorboard/events.out.tfevents.0000000000.moefb"; }

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::shared_ptr<const FolderLock> lock_;
};

}  // namespace moefb::trainer

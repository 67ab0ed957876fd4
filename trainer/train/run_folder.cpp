#include "trainer/train/run_folder.h"

#include <cstdio>
#include <filesystem>
#include <stdexcept>

namespace moefb::trainer {
namespace fs = std::filesystem;

RunFolder RunFolder::create(const std::string& path) {
  const RunFolder folder(path);
  for (const auto& file : {folder.config(), folder.kept_weights(), folder.last_weights(), folder.metrics()}) {
    if (fs::exists(file)) {
      throw std::runtime_error(path + " already holds a run (" + fs::path(file).filename().string() +
                               "): choose another folder, or go on with `trainer resume " + path + "`");
    }
  }
  std::error_code error;
  fs::create_directories(path, error);
  if (!fs::is_directory(path)) throw std::runtime_error(path + ": cannot be made a folder: " + error.message());
  return folder;
}

RunFolder RunFolder::open(const std::string& path) {
  const RunFolder folder(path);
  if (!fs::exists(folder.config())) {
    throw std::runtime_error(path + " is not a run folder: expected a config.json in it");
  }
  return folder;
}

std::string RunFolder::epoch_weights(int64_t epoch) const {
  char name[64];
  std::snprintf(name, sizeof(name), "/weights-epoch-%04ld.safetensors", long(epoch));
  return path_ + name;
}

}  // namespace moefb::trainer

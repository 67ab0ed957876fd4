#include "trainer/train/run_folder.h"

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace moefb::trainer {
namespace fs = std::filesystem;

namespace {

/// As converter/atomic_file.h calls a file until it is whole: NAME.tmp.PROCESS.NUMBER.
bool is_temporary(const std::string& name) {
  const size_t mark = name.rfind(".tmp.");
  if (mark == std::string::npos) return false;
  return name.find_first_not_of("0123456789.", mark + 5) == std::string::npos;
}

void remove_leftovers(const fs::path& folder) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_temporary(entry.path().filename().string())) leftovers.push_back(entry.path());
  }
  for (const fs::path& file : leftovers) fs::remove(file);
}

}  // namespace

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

void RunFolder::claim() {
  lock_ = std::make_shared<const FolderLock>(path_);
  remove_leftovers(path_);
  const fs::path events = fs::path(this->events()).parent_path();
  if (fs::is_directory(events)) remove_leftovers(events);
}

std::string RunFolder::epoch_weights(int64_t epoch) const {
  char name[64];
  std::snprintf(name, sizeof(name), "/weights-epoch-%04ld.safetensors", long(epoch));
  return path_ + name;
}

}  // namespace moefb::trainer

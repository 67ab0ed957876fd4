#include "trainer/analysis/results.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "converter/atomic_file.h"

namespace moefb::trainer {

std::string analysis_folder(const RunFolder& folder) {
  const std::string path = folder.path() + "/analysis";
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!std::filesystem::is_directory(path)) {
    throw std::runtime_error(path + ": cannot be made a folder: " + error.message());
  }
  return path;
}

std::string write_results(const RunFolder& folder, const std::string& name, const nlohmann::ordered_json& results) {
  const std::string path = analysis_folder(folder) + "/" + name + ".json";
  write_file_atomically(path, results.dump(1) + "\n");  // nlohmann writes what is not finite as null
  return path;
}

}  // namespace moefb::trainer

#include "apps/common/default_model.h"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace moefb::apps {
namespace {

namespace fs = std::filesystem;

fs::path folder_beside_the_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  return program.parent_path().parent_path() / "share" / "moefb" / "models";
}

/// "" if `folder` has no file `default`.
std::string named_in(const fs::path& folder) {
  std::ifstream file(folder / "default");
  std::string name;
  std::getline(file, name);
  name.erase(name.find_last_not_of(" \t\r") + 1);
  if (name.empty()) return {};
  const fs::path model = folder / name;
  std::error_code error;
  if (!fs::is_regular_file(model, error)) {
    throw std::runtime_error((folder / "default").string() + ": names " + name + ", which is not in that folder");
  }
  return model.string();
}

}  // namespace

std::string default_model() {
  const fs::path folder = folder_beside_the_program();
  std::string model = named_in(folder);
  if (model.empty()) throw std::runtime_error("no default model in " + folder.string() + ": name a model file");
  return model;
}

}  // namespace moefb::apps

#include "trainer/train/export_pictures.h"

#include <cctype>
#include <cstdio>
#include <filesystem>

#include "trainer/data/png.h"
#include "trainer/data/prepared_picture.h"

namespace moefb::trainer {
namespace fs = std::filesystem;

std::string picture_name(const PictureSet& set, const std::vector<std::string>& class_names, int64_t index) {
  if (!set.files.empty()) return set.files[size_t(index)];
  std::string folder = class_names.at(size_t(set.labels[size_t(index)]));
  for (char& c : folder) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') c = '_';
  }
  char name[32];
  std::snprintf(name, sizeof(name), "/%05ld.png", long(index));
  return folder + name;
}

void export_pictures(const Dataset& dataset, const PictureSet& set, const std::string& folder) {
  const std::string extension = set.files.empty() ? "" : ".png";
  for (int64_t index = 0; index < set.size(); ++index) {
    const fs::path path = fs::path(folder) / (picture_name(set, dataset.class_names, index) + extension);
    fs::create_directories(path.parent_path());
    write_png(path.string(), set.width, set.height, prepared_picture(dataset, set, index));
  }
}

}  // namespace moefb::trainer

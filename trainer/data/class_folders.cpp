#include "trainer/data/class_folders.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <stdexcept>

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

/// What a folder holds, sorted by bytes, without names that begin with a dot.
struct Entries {
  std::vector<std::string> folders;
  std::vector<std::string> files;
};

Entries entries_of(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator it(folder, error);
  if (error) throw std::runtime_error(folder.string() + ": cannot be listed: " + error.message());
  Entries entries;
  for (const fs::directory_entry& entry : it) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    (entry.is_directory(error) ? entries.folders : entries.files).push_back(name);
  }
  std::ranges::sort(entries.folders);
  std::ranges::sort(entries.files);
  return entries;
}

bool is_picture_name(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension) c = char(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg" || extension == ".bmp";
}

class Lister {
 public:
  explicit Lister(std::string root) : root_(std::move(root)) {}

  ClassFolders list() {
    if (!fs::is_directory(root_)) {
      throw std::runtime_error("data set folder: expected in path a folder of class folders, found \"" + root_ +
                               "\", which is no folder");
    }
    const Entries top = entries_of(root_);
    const bool is_split = has_class_folders(top, "train");
    if (is_split) check_sets(top.folders);
    name_classes(is_split ? "train" : "");
    listed_.train = pictures_of(is_split ? "train" : "", listed_.class_names);
    if (is_split) {
      listed_.val = optional_set(top, "val");
      listed_.test = optional_set(top, "test");
    }
    if (left_out_ > 0) {
      listed_.notes.push_back("left out, as no .png, .jpg, .jpeg or .bmp of a class: " + first_left_out_ +
                              (left_out_ > 1 ? " and " + std::to_string(left_out_ - 1) + " more" : ""));
    }
    return std::move(listed_);
  }

 private:
  /// A class may be called `train` as well: then it holds pictures.
  bool has_class_folders(const Entries& top, const std::string& name) const {
    return std::ranges::binary_search(top.folders, name) && !entries_of(fs::path(root_) / name).folders.empty();
  }

  void check_sets(const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      if (name == "train" || name == "val" || name == "test") continue;
      throw std::runtime_error(root_ + ": expected beside the folder train only val and test, found " + name);
    }
  }

  void name_classes(const std::string& set) {
    const fs::path folder = set.empty() ? fs::path(root_) : fs::path(root_) / set;
    const Entries entries = entries_of(folder);
    for (const std::string& name : entries.files) leave_out(fs::path(set) / name);
    listed_.class_names = entries.folders;
    if (listed_.class_names.size() < 2) {
      throw std::runtime_error(folder.string() + ": expected at least 2 class folders, found " +
                               std::to_string(listed_.class_names.size()));
    }
  }

  std::vector<PictureFile> optional_set(const Entries& top, const std::string& set) {
    if (!std::ranges::binary_search(top.folders, set)) return {};
    const Entries entries = entries_of(fs::path(root_) / set);
    for (const std::string& name : entries.files) leave_out(fs::path(set) / name);
    for (const std::string& name : entries.folders) {
      if (std::ranges::binary_search(listed_.class_names, name)) continue;
      throw std::runtime_error((fs::path(root_) / set / name).string() + ": the folder train has no such class");
    }
    std::vector<PictureFile> pictures = pictures_of(set, entries.folders);
    if (pictures.empty()) throw std::runtime_error((fs::path(root_) / set).string() + ": holds no class folder");
    return pictures;
  }

  std::vector<PictureFile> pictures_of(const std::string& set, const std::vector<std::string>& names) {
    std::vector<PictureFile> pictures;
    for (const std::string& name : names) {
      const auto label = std::ranges::lower_bound(listed_.class_names, name) - listed_.class_names.begin();
      append_class(fs::path(set) / name, int64_t(label), pictures);
    }
    return pictures;
  }

  void append_class(const fs::path& folder, int64_t label, std::vector<PictureFile>& pictures) {
    const Entries entries = entries_of(root_ / folder);
    if (!entries.folders.empty()) {
      throw std::runtime_error((root_ / folder).string() + ": expected the pictures of a class, found the folder " +
                               entries.folders.front());
    }
    const size_t before = pictures.size();
    for (const std::string& name : entries.files) {
      if (is_picture_name(name)) {
        pictures.push_back({(folder / name).string(), label});
      } else {
        leave_out(folder / name);
      }
    }
    if (pictures.size() == before) {
      throw std::runtime_error((root_ / folder).string() +
                               ": expected pictures (.png, .jpg, .jpeg, .bmp) of this class, found none");
    }
  }

  void leave_out(const fs::path& file) {
    if (left_out_++ == 0) first_left_out_ = file.string();
  }

  std::string root_;
  ClassFolders listed_;
  int64_t left_out_ = 0;
  std::string first_left_out_;
};

}  // namespace

ClassFolders list_class_folders(const std::string& root) {
  return Lister(root).list();
}

}  // namespace moefb::trainer

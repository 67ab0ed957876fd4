#include "trainer/data/tiny_imagenet_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

struct Line {
  std::string where;  ///< file and line number, for a person
  std::vector<std::string> fields;
};

std::vector<std::string> split_at_tabs(const std::string& text) {
  std::vector<std::string> fields(1);
  for (const char c : text) {
    if (c == '\t') {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

/// Lines that are not empty, cut at tabs into at least `fields` pieces.
std::vector<Line> read_lines(const std::string& root, const std::string& name, size_t fields) {
  if (!fs::is_directory(root)) {
    throw std::runtime_error("data set tiny-imagenet: expected in path the folder that holds wnids.txt, found \"" +
                             root + "\", which is no folder");
  }
  const std::string path = (fs::path(root) / name).string();
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path)) {
    throw std::runtime_error(path + ": cannot be read: expected the file of Tiny ImageNet's published folder");
  }
  std::vector<Line> lines;
  int number = 0;
  for (std::string text; std::getline(in, text);) {
    Line line{path + ", line " + std::to_string(++number), split_at_tabs(text)};
    if (line.fields == std::vector<std::string>{""}) continue;
    if (line.fields.size() < fields || line.fields[0].empty()) {
      throw std::runtime_error(line.where + ": expected " + std::to_string(fields) +
                               " values with tabs between, found \"" + text + "\"");
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

bool is_jpeg(const fs::path& path) {
  return path.extension() == ".JPEG";
}

/// Names of the pictures in a folder, sorted.
std::set<std::string> pictures_in(const fs::path& folder) {
  std::error_code error;
  fs::directory_iterator it(folder, error);
  if (error) throw std::runtime_error(folder.string() + ": cannot be listed: " + error.message());
  std::set<std::string> names;
  for (const fs::directory_entry& entry : it) {
    if (is_jpeg(entry.path())) names.insert(entry.path().filename().string());
  }
  if (names.empty()) throw std::runtime_error(folder.string() + ": expected pictures (.JPEG), found none");
  return names;
}

std::string first_term(const std::string& terms) {
  return terms.substr(0, terms.find(','));
}

}  // namespace

std::vector<std::string> read_wnids(const std::string& root) {
  std::set<std::string> wnids;
  for (const Line& line : read_lines(root, "wnids.txt", 1)) {
    if (wnids.insert(line.fields[0]).second) continue;
    throw std::runtime_error(line.where + ": expected each id once, found " + line.fields[0] + " again");
  }
  if (wnids.size() < 2) {
    throw std::runtime_error((fs::path(root) / "wnids.txt").string() + ": expected at least 2 ids, found " +
                             std::to_string(wnids.size()));
  }
  return {wnids.begin(), wnids.end()};
}

std::vector<std::string> read_names(const std::string& root, const std::vector<std::string>& wnids) {
  std::map<std::string, std::string> name_of;
  for (const Line& line : read_lines(root, "words.txt", 2)) name_of[line.fields[0]] = first_term(line.fields[1]);
  std::vector<std::string> names;
  for (const std::string& wnid : wnids) {
    const auto found = name_of.find(wnid);
    if (found == name_of.end() || found->second.empty()) {
      throw std::runtime_error((fs::path(root) / "words.txt").string() + ": expected the words of " + wnid +
                               ", found none");
    }
    names.push_back(found->second);
  }
  return names;
}

std::vector<PictureFile> list_train(const std::string& root, const std::vector<std::string>& wnids) {
  std::vector<PictureFile> files;
  for (size_t label = 0; label < wnids.size(); ++label) {
    const fs::path folder = fs::path("train") / wnids[label] / "images";
    for (const std::string& name : pictures_in(root / folder))
      files.push_back({(folder / name).string(), int64_t(label)});
  }
  return files;
}

std::vector<PictureFile> list_val(const std::string& root, const std::vector<std::string>& wnids) {
  const std::vector<std::string> known = read_wnids(root);
  const fs::path folder = fs::path("val") / "images";
  std::set<std::string> left = pictures_in(root / folder);
  std::vector<PictureFile> files;
  for (const Line& line : read_lines(root, "val/val_annotations.txt", 2)) {
    const std::string& name = line.fields[0];
    const std::string& wnid = line.fields[1];
    if (!std::ranges::binary_search(known, wnid)) {
      throw std::runtime_error(line.where + ": expected an id of wnids.txt, found \"" + wnid + "\"");
    }
    if (left.erase(name) == 0) {
      throw std::runtime_error(line.where + ": expected a picture of val/images that no line before names, found \"" +
                               name + "\"");
    }
    const auto at = std::ranges::lower_bound(wnids, wnid);
    if (at != wnids.end() && *at == wnid) files.push_back({(folder / name).string(), at - wnids.begin()});
  }
  if (!left.empty()) {
    throw std::runtime_error((root / folder / *left.begin()).string() + ": val_annotations.txt does not name it");
  }
  return files;
}

}  // namespace moefb::trainer

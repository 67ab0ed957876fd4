// The files of Tiny ImageNet's published folder, read and checked. All functions throw std::runtime_error that names
// file and line, what was expected and what was found.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/class_folders.h"

namespace moefb::trainer {

/// wnids.txt: the WordNet ids of the classes, sorted; at least two, none twice.
std::vector<std::string> read_wnids(const std::string& root);

/// words.txt: the first term of each of these ids. Lines of other ids are passed over.
std::vector<std::string> read_names(const std::string& root, const std::vector<std::string>& wnids);

/// train/WNID/images/*.JPEG of these classes, by class, then by name. Labels are ranks in `wnids`, which is sorted.
std::vector<PictureFile> list_train(const std::string& root, const std::vector<std::string>& wnids);

/// The pictures of val/images whose class, in val/val_annotations.txt, is one of these; in the order of the
/// annotations.
std::vector<PictureFile> list_val(const std::string& root, const std::vector<std::string>& wnids);

}  // namespace moefb::trainer

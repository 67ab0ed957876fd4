// Pictures of a set as PNG files, for other programs to classify.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Where a picture is exported to, relative to the export folder: <class name>/<index, five digits>.png. Characters of
/// the class name that a file name should not have become '_'.
std::string picture_file(const std::vector<std::string>& class_names, int64_t label, int64_t index);

/// Writes every picture of `set`, pixel for pixel. @throws std::runtime_error that names the file
void export_pictures(const PictureSet& set, const std::vector<std::string>& class_names, const std::string& folder);

}  // namespace moefb::trainer

// Pictures of a set as PNG files, for other programs to classify; and what each is called.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// What picture `index` is called, under the data set's folder: its own file; where it has none,
/// <class name>/<index, five digits>.png. Characters of that class name that a file name should not have became '_'.
std::string picture_name(const PictureSet& set, const std::vector<std::string>& class_names, int64_t index);

/// Writes every picture of `set`, pixel for pixel as the model sees it, under its name; ".png" is added to the names of
/// files, which may be anything. @throws std::runtime_error that names the file
void export_pictures(const Dataset& dataset, const PictureSet& set, const std::string& folder);

}  // namespace moefb::trainer

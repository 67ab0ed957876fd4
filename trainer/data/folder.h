// `folder`: any pictures, sorted into a folder for each class.
#pragma once

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Reads the folder `config.path` as list_class_folders() finds it. Where there is no folder `test` a tenth of the
/// training pictures is set aside to test, where there is none `val` a tenth to select the epoch: drawn from
/// `config.seed`, of each class in proportion. `test_size` and `val_size` replace the tenths, and take the first so
/// many of a set that has a folder, `train_size` of those left to train. A set keeps the order of its file names.
/// With `stream` the pictures stay in their files, and training pictures are read once, for their colours, unless mean
/// and stddev are given. mean and stddev are those of the training pictures, each channel's, unless the configuration
/// gives them.
/// @throws std::runtime_error  as list_class_folders() and load_pictures() do, a class that keeps no training picture,
/// more pictures asked for than there are or than the machine's memory holds, unreadable ones to be skipped in a stream
Dataset load_folder(const DataConfig& config, const LoadProgress& progress);

}  // namespace moefb::trainer

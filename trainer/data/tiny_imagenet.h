// Tiny ImageNet as it is published: 200 classes of 64 x 64 JPEG pictures, 500 each to train and 50 to validate.
#pragma once

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Lists the folder `config.path`: wnids.txt, words.txt, train/WNID/images/*.JPEG, val/images and
/// val/val_annotations.txt. All sets are streamed. Classes are numbered in the order of their WordNet ids, those of
/// `config.classes` alone if it is not empty; a class is named by its first term in words.txt, followed by the id where
/// two classes would have one name. The published validation pictures are `test`, and `val` too unless `val_size` asks
/// for so many of the training pictures instead. All sizes take of each class in proportion, drawn from `config.seed`.
/// mean and stddev are ImageNet's unless given. Without `picture.resize_to` the rule is the published one: the shorter
/// side to 256/224 of the model's, bicubic, then the centre.
/// @throws std::runtime_error that names file, line, what was found and what was expected: a missing file or folder, an
/// id twice or unknown, an annotation without picture, a class without pictures, more pictures asked for than there are
Dataset load_tiny_imagenet(const DataConfig& config);

}  // namespace moefb::trainer

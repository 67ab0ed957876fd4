// CIFAR-10 from its official binary version (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images,
// 2009).
#pragma once

#include "trainer/data/dataset.h"

namespace moefb::trainer {

/// Reads data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt from the folder `config.path`.
/// The training pictures are split 9 to 1 into train and val (45,000 and 5,000 of the official 50,000), train first, by
/// a permutation drawn from `config.seed`. It is our own permutation: the published one comes from torch's generator,
/// which this library does without.
/// `val_size` moves the split; `train_size` and `test_size` take the first so many of what there is.
/// @throws std::runtime_error  no such folder or file, a file cut short, a label out of range, more pictures asked for
///         than there are, an `image` other than 32: names the file or key, what was found and what was expected
Dataset load_cifar10(const DataConfig& config);

/// Its name, classes and constants, without a picture: what a model says that was trained on it elsewhere.
Dataset describe_cifar10();

}  // namespace moefb::trainer

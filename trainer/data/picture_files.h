// Picture files as a set, in memory or streamed: decoded and resized by the runtime's own code, so that a model sees in
// training what it will see in use.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "trainer/data/class_folders.h"
#include "trainer/data/dataset.h"
#include "trainer/data/random.h"

namespace moefb::trainer {

/// Reads files of any size to pictures of `config.image` on a side, by the rule `config.picture`, on all cores.
/// Needs image * image * 3 bytes a picture and, while it reads, one decoded picture a core: at most 256 MB each.
/// @param config  gives path (the folder that `files` lie under), image, picture and skip_unreadable
/// @param notes   gains a line if pictures were skipped
/// @throws std::runtime_error that names the first unreadable file and why it is, unless those are to be skipped
PictureSet load_pictures(const DataConfig& config, std::span<const PictureFile> files, const LoadProgress& progress,
                         std::vector<std::string>& notes);

/// The same files, not read yet. Dataset::picture has to be `config.picture`.
PictureSet stream_pictures(const DataConfig& config, std::span<const PictureFile> files);

/// Moves `count` files out of `from`, of each class in proportion, drawn by `random`. Both keep their order.
std::vector<PictureFile> take(std::vector<PictureFile>& from, int64_t count, int64_t classes, const Random& random);

}  // namespace moefb::trainer

// The files of a data set that is a folder with a folder of pictures for each class.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moefb::trainer {

struct PictureFile {
  std::string path;  ///< under the data set's folder
  int64_t label = 0;
};

/// Files of each set, by class, then by name.
struct ClassFolders {
  std::vector<std::string> class_names;  ///< sorted by their bytes
  std::vector<PictureFile> train;        ///< all pictures where there is no folder `train`
  std::vector<PictureFile> val;          ///< empty without a folder `val`
  std::vector<PictureFile> test;         ///< empty without a folder `test`
  std::vector<std::string> notes;        ///< lines for a person: files that were left out
};

/// Reads ROOT/CLASS/*, or ROOT/train/CLASS/* with ROOT/val and ROOT/test where they are. Pictures are the files named
/// .png, .jpg, .jpeg or .bmp, in either case. Names that begin with a dot are passed over.
/// @throws std::runtime_error that names the folder, what was expected and what was found: no folder, fewer than two
/// classes, a class without pictures, a folder inside a class, a class in `val` or `test` that `train` does not have,
/// another folder beside `train`
ClassFolders list_class_folders(const std::string& root);

}  // namespace moefb::trainer

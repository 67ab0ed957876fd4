// A folder that one process at a time may write.
#pragma once

#include <string>

namespace moefb::trainer {

/// Holds a folder until it is destroyed or the process ends, however it ends. Leaves no file. Where the file system has
/// no locks, as some network file systems have none, nothing is held and nothing refused.
class FolderLock {
 public:
  /// @throws std::runtime_error  somebody else holds the folder
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace moefb::trainer

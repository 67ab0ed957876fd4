// Zip files as torch.save writes them: nothing compressed, nothing encrypted. Ours because LibTorch's reader of them
// checks no checksum: a damaged weight would pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace moefb::trainer {

/// A zip file read into memory. Only its directory is checked at first, each file when it is asked for.
class ZipFile {
 public:
  /// @throws std::runtime_error that names the file, what was expected and what was found: unreadable, no zip file, cut
  /// short, a directory that lies, a name twice, a file that is compressed or encrypted, 4 GB or more
  explicit ZipFile(const std::string& path);

  const std::string& path() const { return path_; }
  bool has(const std::string& name) const { return entries_.contains(name); }
  /// The one name that ends so. @throws std::runtime_error  none does, or several do
  std::string name_ending(const std::string& end) const;
  /// A file's bytes; they live as long as this. @throws std::runtime_error  no such file, or its checksum differs
  std::span<const std::byte> read(const std::string& name) const;

 private:
  struct Entry {
    size_t header = 0;  ///< where its local header begins
    size_t size = 0;
    uint32_t crc = 0;
  };

  [[noreturn]] void fail(const std::string& message) const;
  uint64_t number(size_t at, size_t bytes) const;
  std::string text(size_t at, size_t size) const;
  void read_directory();
  size_t read_entry(size_t at);  ///< @return where the next one begins

  std::string path_;
  std::vector<std::byte> bytes_;
  std::map<std::string, Entry> entries_;
};

}  // namespace moefb::trainer

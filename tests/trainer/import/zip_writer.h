// Writes zip files as torch.save does, and as somebody would who means harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "converter/atomic_file.h"

namespace moefb::testing {

/// What a zip file says of one file inside; a test may let it lie.
struct ZipEntry {
  std::string name;
  std::string local_name;
  uint16_t flags = 0x808;  ///< as torch: a descriptor follows (sizes are 0 in the local header), names are UTF-8
  uint16_t method = 0;
  uint32_t crc = 0;
  uint32_t size = 0;
  uint32_t offset = 0;
};

using Lie = std::function<void(ZipEntry&)>;

class ZipWriter {
 public:
  void add(const std::string& name, const std::vector<std::byte>& data, const Lie& lie = nullptr) {
    ZipEntry entry;
    entry.name = entry.local_name = name;
    entry.crc = crc32(data);
    entry.size = uint32_t(data.size());
    entry.offset = uint32_t(bytes_.size());
    if (lie) lie(entry);
    append(bytes_, 0x04034b50, 4);
    for (const uint64_t value : {uint64_t{0}, uint64_t{entry.flags}, uint64_t{entry.method}}) append(bytes_, value, 2);
    bytes_.append(16, '\0');  // time, date, checksum, sizes
    append(bytes_, entry.local_name.size(), 2);
    append(bytes_, kPadding, 2);
    bytes_ += entry.local_name + std::string(kPadding, 'Z');
    bytes_.append(reinterpret_cast<const char*>(data.data()), data.size());
    append_to_directory(entry);
  }

  /// The whole file.
  std::string done() const {
    std::string whole = bytes_ + directory_;
    append(whole, 0x06054b50, 4);
    append(whole, 0, 4);
    append(whole, count_, 2);
    append(whole, count_, 2);
    append(whole, directory_.size(), 4);
    append(whole, bytes_.size(), 4);
    append(whole, 0, 2);
    return whole;
  }

 private:
  static constexpr size_t kPadding = 7;  ///< torch fills up to its alignment

  static void append(std::string& to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) to += char(value >> (8 * i) & 0xff);
  }
  static uint32_t crc32(const std::vector<std::byte>& bytes) {
    uint32_t crc = ~0u;
    for (const std::byte b : bytes) {
      crc ^= uint32_t(b);
      for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
  }
  void append_to_directory(const ZipEntry& entry) {
    append(directory_, 0x02014b50, 4);
    append(directory_, 0, 4);
    append(directory_, entry.flags, 2);
    append(directory_, entry.method, 2);
    append(directory_, 0, 4);
    for (const uint32_t value : {entry.crc, entry.size, entry.size}) append(directory_, value, 4);
    append(directory_, entry.name.size(), 2);
    directory_.append(12, '\0');
    append(directory_, entry.offset, 4);
    directory_ += entry.name;
    ++count_;
  }

  std::string bytes_;
  std::string directory_;
  uint64_t count_ = 0;
};

using Records = std::map<std::string, std::vector<std::byte>>;

/// The files in one folder, as torch.save lays them out.
inline void write_archive(const std::string& path, const Records& records) {
  ZipWriter writer;
  for (const auto& [name, bytes] : records) writer.add("model/" + name, bytes);
  write_file_atomically(path, writer.done());
}

}  // namespace moefb::testing

#include "trainer/import/zip_file.h"

#include <array>
#include <stdexcept>

#include "converter/atomic_file.h"

namespace moefb::trainer {
namespace {

// APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16: where the numbers stand, from the start of a record.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr size_t kLocalHeaderBytes = 30;
constexpr uint32_t kDirectoryEntry = 0x02014b50;
constexpr size_t kDirectoryEntryBytes = 46;
constexpr uint32_t kEnd = 0x06054b50;
constexpr size_t kEndBytes = 22;

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value & 1 ? value >> 1 ^ 0xedb88320u : value >> 1;
    table[i] = value;
  }
  return table;
}

uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc_table();
  uint32_t crc = ~0u;
  for (const std::byte b : bytes) crc = crc >> 8 ^ kTable[(crc ^ uint32_t(b)) & 0xff];
  return ~crc;
}

}  // namespace

ZipFile::ZipFile(const std::string& path) : path_(path), bytes_(read_file(path)) {
  read_directory();
}

void ZipFile::fail(const std::string& message) const {
  throw std::runtime_error(path_ + ": " + message);
}

uint64_t ZipFile::number(size_t at, size_t bytes) const {
  if (at > bytes_.size() || bytes > bytes_.size() - at) fail("the zip file is cut short, or its directory lies");
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= uint64_t(bytes_[at + i]) << (8 * i);
  return value;
}

std::string ZipFile::text(size_t at, size_t size) const {
  if (at > bytes_.size() || size > bytes_.size() - at) fail("the zip file is cut short, or its directory lies");
  return {reinterpret_cast<const char*>(bytes_.data()) + at, size};
}

// torch.save writes no comment, so the end record is the last of all. Its larger twin, which it writes as well, is for
// 4 GB and more: there these numbers are all ones.
void ZipFile::read_directory() {
  if (bytes_.size() < kEndBytes || number(bytes_.size() - kEndBytes, 4) != kEnd) {
    fail("expected a zip file of torch.save, whole, found none in " + std::to_string(bytes_.size()) + " bytes");
  }
  const size_t end = bytes_.size() - kEndBytes;
  const uint64_t count = number(end + 10, 2);
  const uint64_t first = number(end + 16, 4);
  if (count == 0xffff || first == 0xffffffff) fail("expected less than 4 GB and 65,535 files inside");
  size_t at = size_t(first);
  for (uint64_t i = 0; i < count; ++i) at = read_entry(at);
}

size_t ZipFile::read_entry(size_t at) {
  if (number(at, 4) != kDirectoryEntry) fail("the zip file's directory is damaged at byte " + std::to_string(at));
  const size_t name_size = size_t(number(at + 28, 2));
  const std::string name = text(at + kDirectoryEntryBytes, name_size);
  if (number(at + 8, 2) & 1) fail("file " + name + " inside is encrypted");
  if (number(at + 10, 2) != 0) {
    fail("file " + name + " inside: expected no compression, found method " + std::to_string(number(at + 10, 2)));
  }
  const Entry entry = {size_t(number(at + 42, 4)), size_t(number(at + 24, 4)), uint32_t(number(at + 16, 4))};
  if (!entries_.emplace(name, entry).second) fail("file " + name + " is there twice");
  return at + kDirectoryEntryBytes + name_size + size_t(number(at + 30, 2) + number(at + 32, 2));
}

std::string ZipFile::name_ending(const std::string& end) const {
  std::string found;
  for (const auto& [name, entry] : entries_) {
    if (!name.ends_with(end)) continue;
    if (!found.empty()) fail("expected one file " + end + " inside, found " + found + " and " + name);
    found = name;
  }
  if (found.empty()) fail("expected a file " + end + " inside, found none");
  return found;
}

std::span<const std::byte> ZipFile::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("expected a file " + name + " inside, found none");
  const Entry& entry = found->second;
  const size_t name_size = size_t(number(entry.header + 26, 2));
  if (number(entry.header, 4) != kLocalHeader || text(entry.header + kLocalHeaderBytes, name_size) != name) {
    fail("file " + name + " inside is not where the zip file's directory says");
  }
  const size_t start = entry.header + kLocalHeaderBytes + name_size + size_t(number(entry.header + 28, 2));
  if (start > bytes_.size() || entry.size > bytes_.size() - start) {
    fail("file " + name + " inside claims " + std::to_string(entry.size) + " bytes at " + std::to_string(start) +
         ", the whole has " + std::to_string(bytes_.size()));
  }
  const auto bytes = std::span(bytes_).subspan(start, entry.size);
  if (crc32(bytes) != entry.crc) fail("file " + name + " inside is damaged: its checksum differs");
  return bytes;
}

}  // namespace moefb::trainer

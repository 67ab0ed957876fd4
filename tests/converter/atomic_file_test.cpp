#include "converter/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include "converter/full_disk.h"
#include "converter/temporary_folder.h"

namespace moefb {
namespace {

using testing::contains;
using testing::FullDisk;
using testing::message_of;
using testing::TemporaryFolder;

std::string text_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(AtomicFile, HoldsWhatWasWritten) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", std::string_view("first\0second", 12));
  EXPECT_EQ(text_of(folder / "a"), std::string("first\0second", 12));
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, ReplacesAnOlderFileAndKeepsNoRemains) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "a long first version");
  write_file_atomically(folder / "a", "short");
  EXPECT_EQ(text_of(folder / "a"), "short");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, WritesAnEmptyFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "");
  EXPECT_EQ(text_of(folder / "a"), "");
}

TEST(AtomicFile, ObeysTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a", "x");
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST(AtomicFile, FullDiskLeavesTheOlderFileAndNothingElse) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "older");
  const std::string large(1 << 16, 'x');
  std::string message;
  {
    const FullDisk full(1000);
    message = message_of([&] { write_file_atomically(folder / "a", large); });
  }
  EXPECT_TRUE(contains(message, folder / "a"));
  EXPECT_TRUE(contains(message, "File too large"));
  EXPECT_EQ(text_of(folder / "a"), "older");
  EXPECT_EQ(folder.file_count(), 1u);
}

TEST(AtomicFile, NamesTheMissingFolder) {
  const TemporaryFolder folder;
  const std::string path = folder / "none/a";
  const std::string message = message_of([&] { write_file_atomically(path, "x"); });
  EXPECT_TRUE(contains(message, path + ": cannot write: No such file or directory"));
}

TEST(AtomicFile, RefusesToReplaceWhatIsNoFile) {
  // A rename onto a device would put a file in its place: `-o /dev/null`, run by root, must not break the machine.
  const TemporaryFolder folder;
  const std::string message = message_of([&] { write_file_atomically(folder.path(), "x"); });
  EXPECT_TRUE(contains(message, "not a regular file"));
  EXPECT_TRUE(contains(message_of([] { write_file_atomically("/dev/null", "x"); }), "not a regular file"));
}

TEST(AtomicFile, WritesThroughALink) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "older");
  std::filesystem::create_symlink(folder / "a", folder / "link");
  write_file_atomically(folder / "link", "newer");
  EXPECT_EQ(text_of(folder / "a"), "newer");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
}

TEST(ReadFile, NamesWhatIsMissingOrNoFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(
      contains(message_of([&] { read_file(folder / "none"); }), "none: cannot read: No such file or directory"));
  EXPECT_TRUE(contains(message_of([&] { read_file(folder.path()); }), "not a regular file"));
  EXPECT_TRUE(contains(message_of([] { read_file("/dev/zero"); }), "/dev/zero: cannot read: not a regular file"));
}

// Opened the ordinary way, a pipe that nobody writes to blocks for good.
TEST(ReadFile, RefusesAPipeAtOnce) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of([&] { read_file(folder / "pipe"); }), "pipe: cannot read: not a regular file"));
}

}  // namespace
}  // namespace moefb

#include "trainer/import/zip_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "converter/temporary_folder.h"
#include "trainer/import/damage.h"
#include "trainer/import/zip_writer.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::Lie;
using testing::ZipEntry;
using testing::ZipWriter;

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Zip : public ::testing::Test {
 protected:
  ZipFile open(const std::string& bytes) const {
    write_file_atomically(path_, bytes);
    return ZipFile(path_);
  }
  /// Of a file "a/x" that something false is said about.
  std::string refusal(const Lie& lie) const {
    ZipWriter writer;
    writer.add("a/x", bytes_of("hello"), lie);
    return refusal_of(writer.done());
  }
  std::string refusal_of(const std::string& bytes) const {
    return testing::message_of([&] { open(bytes).read("a/x"); });
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "m.pt";
};

TEST_F(Zip, ReadsItsFiles) {
  ZipWriter writer;
  writer.add("a/x", bytes_of("hello"));
  writer.add("a/empty", {});
  writer.add("a/data/0", bytes_of("123456789"));
  const ZipFile zip = open(writer.done());
  EXPECT_EQ(text_of(zip.read("a/x")), "hello");
  EXPECT_EQ(text_of(zip.read("a/empty")), "");
  EXPECT_EQ(text_of(zip.read("a/data/0")), "123456789");
  EXPECT_TRUE(zip.has("a/x"));
  EXPECT_FALSE(zip.has("x"));
  EXPECT_EQ(zip.name_ending("/x"), "a/x");
}

TEST_F(Zip, NamesAreFoundByTheirEndIfThereIsOne) {
  ZipWriter writer;
  writer.add("a/x", {});
  writer.add("b/x", {});
  const ZipFile zip = open(writer.done());
  EXPECT_TRUE(contains(testing::message_of([&] { zip.name_ending("/x"); }), "found a/x and b/x"));
  EXPECT_TRUE(contains(testing::message_of([&] { zip.name_ending("/y"); }), "expected a file /y inside, found none"));
}

TEST_F(Zip, RefusesADamagedFile) {
  const std::string damaged = path_ + ": file a/x inside is damaged: its checksum differs";
  EXPECT_EQ(refusal([](ZipEntry& entry) { ++entry.crc; }), damaged);
  EXPECT_EQ(refusal([](ZipEntry& entry) { --entry.size; }), damaged);
}

TEST_F(Zip, RefusesALyingDirectory) {
  EXPECT_TRUE(contains(refusal([](ZipEntry& entry) { entry.size = 1000; }), "claims 1000 bytes"));
  EXPECT_TRUE(contains(refusal([](ZipEntry& entry) { entry.size = ~0u; }), "claims 4294967295 bytes"));
  EXPECT_TRUE(contains(refusal([](ZipEntry& entry) { entry.offset = 1; }), "not where the zip file's directory says"));
  EXPECT_TRUE(contains(refusal([](ZipEntry& entry) { entry.offset = ~0u; }), "cut short, or its directory lies"));
  EXPECT_TRUE(contains(refusal([](ZipEntry& entry) { entry.local_name = "a/y"; }), "not where the zip file's"));
}

TEST_F(Zip, RefusesCompressionAndEncryption) {
  EXPECT_EQ(refusal([](ZipEntry& entry) { entry.method = 8; }),
            path_ + ": file a/x inside: expected no compression, found method 8");
  EXPECT_EQ(refusal([](ZipEntry& entry) { entry.flags |= 1; }), path_ + ": file a/x inside is encrypted");
}

TEST_F(Zip, RefusesANameThatIsThereTwice) {
  ZipWriter writer;
  writer.add("a/x", bytes_of("1"));
  writer.add("a/x", bytes_of("2"));
  EXPECT_EQ(refusal_of(writer.done()), path_ + ": file a/x is there twice");
}

TEST_F(Zip, RefusesWhatIsNoZipFile) {
  EXPECT_EQ(refusal_of(""), path_ + ": expected a zip file of torch.save, whole, found none in 0 bytes");
  EXPECT_TRUE(contains(refusal_of(std::string(100, 'x')), "expected a zip file of torch.save"));
  EXPECT_TRUE(contains(testing::message_of([&] { ZipFile(folder_ / "absent.pt"); }), "absent.pt"));
}

TEST_F(Zip, RefusesMoreThanItsNumbersHold) {
  ZipWriter writer;
  writer.add("a/x", bytes_of("hello"));
  for (const size_t field : {12u, 6u}) {  // before the end: number of files, start of the directory
    std::string bytes = writer.done();
    std::fill_n(bytes.end() - std::ptrdiff_t(field), field == 12 ? 2 : 4, '\xff');
    EXPECT_TRUE(contains(refusal_of(bytes), "expected less than 4 GB"));
  }
}

TEST_F(Zip, RefusesEveryLengthThatIsCut) {
  ZipWriter writer;
  writer.add("a/x", bytes_of("hello"));
  testing::expect_every_cut_refused(writer.done(), [this](const std::string& bytes) { return refusal_of(bytes); });
}

TEST_F(Zip, NoByteChangesWhatIsRead) {
  ZipWriter writer;
  writer.add("a/x", bytes_of("hello"));
  std::string bytes = writer.done();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= char(1 << bit);
      std::string found;
      const std::string message = testing::message_of([&] { found = text_of(open(bytes).read("a/x")); });
      EXPECT_TRUE(message.starts_with(path_) || (message.empty() && found == "hello")) << at << ": " << message;
      bytes[at] ^= char(1 << bit);
    }
  }
}

}  // namespace
}  // namespace moefb::trainer

// Pictures from files: what can be wrong with the file itself.
#include <unistd.h>

#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

// A file that is removed at the end of its scope.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& name, const std::string& content)
      : path_(testing::TempDir() + "moefb_" + std::to_string(::getpid()) + "_" + name) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }

  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

TEST(LoadImage, ReadsTheSameAsFromMemory) {
  const Result<Image> image = load_image(picture_path("rgb8.png").c_str());
  ASSERT_TRUE(image.ok()) << describe(image.status());
  EXPECT_EQ(worst_difference(*image, kSceneWidth, kSceneHeight, [](int x, int y) { return scene(x, y); }), 0);
}

TEST(LoadImage, MissingFileIsNotFound) {
  EXPECT_EQ(load_image(picture_path("no_such_picture.png").c_str()).status().code(), Code::kNotFound);
  EXPECT_EQ(load_image(picture_path("rgb8.png/inside.png").c_str()).status().code(), Code::kNotFound);
  EXPECT_EQ(load_image("").status().code(), Code::kNotFound);
}

TEST(LoadImage, FolderAndDeviceAreRefused) {
  EXPECT_EQ(load_image(picture_path("").c_str()).status().code(), Code::kIo);
  EXPECT_EQ(load_image("/dev/zero").status().code(), Code::kIo);
}

TEST(LoadImage, EmptyAndTextFilesAreCorrupt) {
  const TemporaryFile empty("empty.png", "");
  EXPECT_EQ(load_image(empty.path()).status().code(), Code::kCorruptFile);
  const TemporaryFile text("text.png", "not a picture\n");
  EXPECT_EQ(load_image(text.path()).status().code(), Code::kCorruptFile);
}

TEST(LoadImage, NoPathIsInvalid) {
  EXPECT_EQ(load_image(nullptr).status().code(), Code::kInvalidArgument);
}

TEST(LoadImage, HugeFileIsRefusedUnread) {
  const TemporaryFile huge("huge.png", "");
  const int64_t size = (int64_t{1} << 30) + 1;  // sparse: takes no space
  ASSERT_EQ(::truncate(huge.path(), size), 0);
  const Status status = load_image(huge.path()).status();
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_EQ(status.found(), size);
}

}  // namespace
}  // namespace moefb::test

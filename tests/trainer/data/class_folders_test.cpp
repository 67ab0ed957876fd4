#include "trainer/data/class_folders.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;

/// A folder of empty files: listing opens none of them.
class ClassFoldersOf : public ::testing::Test {
 protected:
  void touch(const std::string& path) const {
    fs::create_directories(fs::path(root() + "/" + path).parent_path());
    std::ofstream(root() + "/" + path) << "";
  }
  void touch_all(const std::vector<std::string>& paths) const {
    for (const std::string& path : paths) touch(path);
  }
  std::string root() const { return folder_ / "pictures"; }
  ClassFolders listed() const { return list_class_folders(root()); }
  std::string refusal() const {
    return testing::message_of([&] { listed(); });
  }

  testing::TemporaryFolder folder_;
};

std::vector<std::string> paths_of(const std::vector<PictureFile>& files) {
  std::vector<std::string> paths;
  for (const PictureFile& file : files) paths.push_back(file.path);
  return paths;
}

TEST_F(ClassFoldersOf, PlainLayoutIsSortedByClassThenName) {
  touch_all({"dog/b.png", "cat/2.JPG", "cat/10.jpeg", "dog/a.bmp", "Zebra/z.png"});
  const ClassFolders found = listed();
  EXPECT_EQ(found.class_names, (std::vector<std::string>{"Zebra", "cat", "dog"}));
  EXPECT_EQ(paths_of(found.train),
            (std::vector<std::string>{"Zebra/z.png", "cat/10.jpeg", "cat/2.JPG", "dog/a.bmp", "dog/b.png"}));
  EXPECT_EQ(found.train[4].label, 2);
  EXPECT_TRUE(found.val.empty());
  EXPECT_TRUE(found.test.empty());
  EXPECT_TRUE(found.notes.empty());
}

TEST_F(ClassFoldersOf, SetsHaveFoldersOfTheirOwn) {
  touch_all({"train/a/1.png", "train/b/2.png", "val/b/3.png", "test/a/4.png", "test/b/5.png"});
  const ClassFolders found = listed();
  EXPECT_EQ(paths_of(found.train), (std::vector<std::string>{"train/a/1.png", "train/b/2.png"}));
  EXPECT_EQ(paths_of(found.val), (std::vector<std::string>{"val/b/3.png"}));
  EXPECT_EQ(found.val[0].label, 1);
  EXPECT_EQ(paths_of(found.test), (std::vector<std::string>{"test/a/4.png", "test/b/5.png"}));
}

TEST_F(ClassFoldersOf, AClassMayBeCalledTrain) {
  touch_all({"car/1.png", "plane/2.png", "train/3.png"});
  EXPECT_EQ(listed().class_names, (std::vector<std::string>{"car", "plane", "train"}));
}

TEST_F(ClassFoldersOf, HiddenNamesArePassedOver) {
  touch_all({"a/1.png", "a/.2.png", "b/3.png", "b/.DS_Store", ".git/x.png"});
  const ClassFolders found = listed();
  EXPECT_EQ(paths_of(found.train), (std::vector<std::string>{"a/1.png", "b/3.png"}));
  EXPECT_TRUE(found.notes.empty());
}

TEST_F(ClassFoldersOf, OtherFilesAreLeftOutAndNoted) {
  touch_all({"a/1.png", "a/Thumbs.db", "b/2.png", "b/3.webp", "labels.csv"});
  const ClassFolders found = listed();
  EXPECT_EQ(found.train.size(), 2u);
  EXPECT_EQ(found.notes,
            (std::vector<std::string>{"left out, as no .png, .jpg, .jpeg or .bmp of a class: labels.csv and 2 more"}));
}

TEST_F(ClassFoldersOf, FollowsLinks) {
  touch_all({"a/1.png", "b/2.png"});
  fs::create_directory_symlink(root() + "/a", root() + "/c");
  EXPECT_EQ(listed().class_names.size(), 3u);
}

TEST_F(ClassFoldersOf, RefusesWhatIsNoFolder) {
  EXPECT_EQ(refusal(), "data set folder: expected in path a folder of class folders, found \"" + root() +
                           "\", which is no folder");
}

TEST_F(ClassFoldersOf, RefusesFewerThanTwoClasses) {
  touch("only/1.png");
  EXPECT_EQ(refusal(), root() + ": expected at least 2 class folders, found 1");
}

TEST_F(ClassFoldersOf, RefusesAnEmptyClass) {
  touch_all({"a/1.png", "b/notes.txt"});
  EXPECT_EQ(refusal(), root() + "/b: expected pictures (.png, .jpg, .jpeg, .bmp) of this class, found none");
}

TEST_F(ClassFoldersOf, RefusesAFolderInsideAClass) {
  touch_all({"a/1.png", "b/2.png", "b/more/3.png"});
  EXPECT_EQ(refusal(), root() + "/b: expected the pictures of a class, found the folder more");
}

TEST_F(ClassFoldersOf, RefusesAClassThatTrainLacks) {
  touch_all({"train/a/1.png", "train/b/2.png", "val/c/3.png"});
  EXPECT_EQ(refusal(), root() + "/val/c: the folder train has no such class");
}

TEST_F(ClassFoldersOf, RefusesASetByAnotherName) {
  touch_all({"train/a/1.png", "train/b/2.png", "valid/a/3.png"});
  EXPECT_EQ(refusal(), root() + ": expected beside the folder train only val and test, found valid");
}

TEST_F(ClassFoldersOf, RefusesASetWithoutClasses) {
  touch_all({"train/a/1.png", "train/b/2.png", "val/3.png"});
  EXPECT_EQ(refusal(), root() + "/val: holds no class folder");
}

}  // namespace
}  // namespace moefb::trainer

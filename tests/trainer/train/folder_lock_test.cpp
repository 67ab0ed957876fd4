#include "trainer/train/folder_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "converter/atomic_file.h"
#include "converter/temporary_folder.h"
#include "trainer/train/run_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

TEST(FolderLock, LetsOneInAtATime) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_TRUE(contains(message_of([&] { const FolderLock second(folder.path()); }), "in use by another trainer"));
  }
  EXPECT_EQ(message_of([&] { const FolderLock next(folder.path()); }), "");
  EXPECT_EQ(folder.file_count(), 0u);
}

TEST(FolderLock, IsGoneWithTheProcessHoweverThatEnds) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(message_of([&] { const FolderLock lock(folder.path()); }), "");
}

TEST(FolderLock, ARunIsClaimedAsLongAsACopyOfItsFolderLives) {
  const TemporaryFolder folder;
  auto first = std::make_unique<RunFolder>(RunFolder::create(folder / "run"));
  first->claim();
  const RunFolder copy = *first;
  first.reset();
  RunFolder second = RunFolder::create(folder / "run");
  EXPECT_TRUE(contains(message_of([&] { second.claim(); }), "in use by another trainer"));
}

TEST(FolderLock, AClaimRemovesWhatAKilledTrainerLeft) {
  const TemporaryFolder folder;
  const char* leftovers[] = {"model.safetensors.tmp.123.0", "tensorboard/events.tmp.9.12"};
  const char* others[] = {"model.safetensors", "notes.tmp.txt", "my.tmp.2/deep.tmp.1.1"};
  for (const char* sub : {"tensorboard", "my.tmp.2"}) fs::create_directory(folder / sub);
  for (const char* name : leftovers) write_file_atomically(folder / name, std::string_view("half a fi"));
  for (const char* name : others) write_file_atomically(folder / name, std::string_view("whole"));
  write_file_atomically(folder / "config.json", std::string_view("{}"));
  RunFolder run = RunFolder::open(folder.path());
  run.claim();
  for (const char* name : leftovers) EXPECT_FALSE(fs::exists(folder / name)) << name;
  for (const char* name : others) EXPECT_TRUE(fs::exists(folder / name)) << name;
}

}  // namespace
}  // namespace moefb::trainer

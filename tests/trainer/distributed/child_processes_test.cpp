#include "trainer/distributed/child_processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

std::vector<std::string> shell(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

bool comes_true(const std::function<bool()>& moment) {
  const auto start = std::chrono::steady_clock::now();
  while (!moment() && std::chrono::steady_clock::now() - start < std::chrono::minutes(1)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return moment();
}

ChildProcesses::Ended next_end(ChildProcesses& children) {
  std::optional<ChildProcesses::Ended> found;
  comes_true([&] { return found || (found = children.ended()); });
  return found.value();
}

ProcessEnd end_of(const std::vector<std::string>& command, const ChildOptions& options = {}) {
  ChildProcesses children;
  children.start(command, options);
  return next_end(children).end;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Makes `ready`, then waits; makes `asked` once SIGTERM comes.
std::string waits(const std::string& ready, const std::string& asked) {
  return "trap ': >" + asked + "; exit 143' TERM; : >" + ready + "; while :; do sleep 0.02; done";
}

TEST(ChildProcesses, ReportExitCodesAndSignals) {
  EXPECT_EQ(end_of(shell("exit 0")).exit_code, 0);
  EXPECT_EQ(end_of(shell("exit 3")).text(), "ended with exit code 3");
  const ProcessEnd killed = end_of(shell("kill -KILL $$"));
  EXPECT_EQ(killed.exit_code, 137);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(killed.text(), "was ended by a signal (Killed)");
  EXPECT_EQ(end_of(shell("exit 137")).signal, 0) << "it ended by itself, whatever it says";
  EXPECT_EQ(end_of({"/no/such/program"}).exit_code, 127);
}

TEST(ChildProcesses, EachEndsOnceUnderItsNumber) {
  ChildProcesses children;
  std::vector<size_t> numbers;
  for (int code = 0; code < 3; ++code) {
    numbers.push_back(children.start(shell("exit " + std::to_string(code)), {}));
  }
  EXPECT_EQ(numbers, (std::vector<size_t>{0, 1, 2}));
  for (size_t left = 3; left > 0; --left) {
    EXPECT_EQ(children.running(), left);
    const ChildProcesses::Ended child = next_end(children);
    EXPECT_EQ(size_t(child.end.exit_code), child.number);
  }
  EXPECT_EQ(children.running(), 0u);
  EXPECT_FALSE(children.ended());
}

TEST(ChildProcesses, WriteToTheEndOfTheirLog) {
  const TemporaryFolder folder;
  const std::string log = folder / "log";
  end_of(shell("echo first"), {{}, log});
  end_of(shell("echo second >&2"), {{}, log});
  EXPECT_EQ(text_of(log), "first\nsecond\n");
  const std::string message = message_of([&] { end_of(shell("exit 0"), {{}, folder / "no/log"}); });
  EXPECT_TRUE(contains(message, "no/log: cannot write: No such file or directory"));
}

TEST(ChildProcesses, HaveNothingToRead) {
  const TemporaryFolder folder;
  EXPECT_EQ(end_of(shell("read line && exit 1; exit 0")).exit_code, 0);
}

TEST(ChildProcesses, GivenVariablesReplaceThoseOfTheSameName) {
  const TemporaryFolder folder;
  const std::string log = folder / "log";
  ::setenv("MOEFB_TEST", "ours", 1);
  ::setenv("MOEFB_TEST_LONGER", "kept", 1);
  end_of(shell("echo $MOEFB_TEST $MOEFB_TEST_LONGER $MOEFB_TEST_NEW"),
         {{"MOEFB_TEST=given", "MOEFB_TEST_NEW=new"}, log});
  EXPECT_EQ(text_of(log), "given kept new\n");
}

TEST(ChildProcesses, HearSignalsThatAreBlockedHere) {
  const TemporaryFolder folder;
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, &before);
  ChildProcesses children;
  children.start(shell(waits(folder / "ready", folder / "asked")), {});
  sigprocmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(comes_true([&] { return fs::exists(folder / "ready"); }));
  children.tell_all(SIGTERM);
  EXPECT_EQ(next_end(children).end.exit_code, 143);
  EXPECT_TRUE(fs::exists(folder / "asked"));
}

TEST(ChildProcesses, LeadGroupsOfTheirOwn) {
  const TemporaryFolder folder;
  const std::string log = folder / "log";
  end_of(shell("read -r _ _ _ _ group _ </proc/$$/stat; echo $(($$ == group))"), {{}, log});
  EXPECT_EQ(text_of(log), "1\n");
}

TEST(ChildProcesses, AreAskedToEndAndWaitedForWithTheirObject) {
  const TemporaryFolder folder;
  {
    ChildProcesses children;
    children.start(shell(waits(folder / "ready", folder / "asked")), {});
    ASSERT_TRUE(comes_true([&] { return fs::exists(folder / "ready"); }));
  }
  EXPECT_TRUE(fs::exists(folder / "asked"));
}

TEST(ChildProcesses, AreAskedToEndWhenTheirParentDies) {
  const TemporaryFolder folder;
  const pid_t parent = ::fork();
  if (parent == 0) {
    ChildProcesses children;
    children.start(shell(waits(folder / "ready", folder / "asked")), {});
    comes_true([&] { return fs::exists(folder / "ready"); });
    ::_exit(0);  // as a crash does: no destructor runs
  }
  ASSERT_GT(parent, 0);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(comes_true([&] { return fs::exists(folder / "asked"); }));
}

}  // namespace
}  // namespace moefb::trainer

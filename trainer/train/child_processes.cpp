#include "trainer/train/child_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace moefb::trainer {
namespace {

constexpr int kCannotExecute = 127;  // as shells report it

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// In the child, between fork and exec: nothing here may allocate, for another thread may have held the heap's lock.
[[noreturn]] void become(char* const* arguments, int log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCannotExecute);  // it died before prctl() was called
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(kCannotExecute);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

ChildProcesses::~ChildProcesses() {
  interrupt();
  for (const pid_t id : running_) ::waitpid(id, nullptr, 0);
}

pid_t ChildProcesses::start(const std::vector<std::string>& command, const std::string& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) fail(log + ": cannot write");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), file, parent);
  ::close(file);
  if (child < 0) fail(command[0] + ": cannot be started");
  running_.push_back(child);
  return child;
}

void ChildProcesses::interrupt() {
  for (const pid_t id : running_) ::kill(id, SIGTERM);
}

std::optional<ChildProcesses::Finished> ChildProcesses::finished() {
  for (const pid_t id : running_) {
    int status = 0;
    if (::waitpid(id, &status, WNOHANG) != id) continue;
    std::erase(running_, id);
    return Finished{id, exit_code_of(status)};
  }
  return std::nullopt;
}

}  // namespace moefb::trainer

#include "trainer/distributed/child_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

extern char** environ;

namespace moefb::trainer {
namespace {

constexpr int kCannotExecute = 127;  // as shells report it

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// Texts as execve() takes them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> environment_with(std::vector<std::string> variables) {
  const size_t given = variables.size();
  for (char** entry = environ; *entry; ++entry) {
    const auto same_name = [&](const std::string& variable) { return name_of(variable) == name_of(*entry); };
    if (std::none_of(variables.begin(), variables.begin() + long(given), same_name)) variables.emplace_back(*entry);
  }
  return variables;
}

/// A file for both outputs of a child; none where it has no name.
class Log {
 public:
  explicit Log(const std::string& path) {
    if (path.empty()) return;
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file_ < 0) fail(path + ": cannot write");
  }
  ~Log() {
    if (file_ >= 0) ::close(file_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// In the child.
  void take_outputs() const {
    if (file_ < 0) return;
    ::dup2(file_, STDOUT_FILENO);
    ::dup2(file_, STDERR_FILENO);
  }

 private:
  int file_ = -1;
};

/// In the child, between fork and exec: nothing here may allocate, for another thread may have held the heap's lock.
[[noreturn]] void become(char* const* arguments, char* const* environment, const Log& log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kCannotExecute);  // it died before prctl() was called
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::close(nothing);
  log.take_outputs();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(arguments[0], arguments, environment);
  ::_exit(kCannotExecute);
}

ProcessEnd end_of(int status) {
  if (WIFEXITED(status)) return {WEXITSTATUS(status), 0};
  return {128 + WTERMSIG(status), WTERMSIG(status)};
}

}  // namespace

std::string ProcessEnd::text() const {
  if (signal == 0) return "ended with exit code " + std::to_string(exit_code);
  return std::string("was ended by a signal (") + strsignal(signal) + ")";
}

ChildProcesses::~ChildProcesses() {
  tell_all(SIGTERM);
  for (const Child& child : running_) ::waitpid(child.id, nullptr, 0);
}

size_t ChildProcesses::start(const std::vector<std::string>& command, const ChildOptions& options) {
  const Log log(options.log);
  const std::vector<std::string> environment = environment_with(options.variables);
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  const pid_t parent = ::getpid();
  const pid_t id = ::fork();
  if (id < 0) fail(command[0] + ": cannot be started");
  if (id == 0) become(arguments.data(), variables.data(), log, parent);
  running_.push_back({started_, id});
  return started_++;
}

void ChildProcesses::tell_all(int signal) const {
  for (const Child& child : running_) ::kill(child.id, signal);
}

std::optional<ChildProcesses::Ended> ChildProcesses::ended() {
  for (size_t i = 0; i < running_.size(); ++i) {
    const auto [number, id] = running_[i];
    int status = 0;
    if (::waitpid(id, &status, WNOHANG) != id) continue;
    running_.erase(running_.begin() + long(i));
    return Ended{number, end_of(status)};
  }
  return std::nullopt;
}

}  // namespace moefb::trainer

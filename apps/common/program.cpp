#include "apps/common/program.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>

namespace moefb::apps {
namespace {

std::string name_as_called = "moefb";

}  // namespace

int run_program(int argc, char** argv, int (*body)(int argc, char** argv)) {
  if (argc > 0) name_as_called = std::filesystem::path(argv[0]).filename().string();
  // A reader that is gone, a file that may not grow: failed writes with a message, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return body(argc, argv);
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& e) {
    complain(e.what());
  }
  return 1;
}

const std::string& program_name() {
  return name_as_called;
}

void print(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw std::runtime_error(std::string("standard output: ") + std::strerror(errno));
  }
}

void print_note(std::string_view text, bool json) {
  if (json) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  } else {
    print(text);
  }
}

void complain(std::string_view message) {
  std::fprintf(stderr, "%s: %.*s\n", name_as_called.c_str(), static_cast<int>(message.size()), message.data());
}

std::string describe(const Status& status) {
  char buffer[512];
  return status.describe(buffer, sizeof buffer);
}

void check(const Status& status, const std::string& file) {
  if (!status.ok()) throw std::runtime_error(file + ": " + describe(status));
}

}  // namespace moefb::apps

// Runs a program and keeps what it wrote and how it ended.
#pragma once

#include <string>
#include <vector>

namespace moefb::testing {

struct Outcome {
  int exit_code = -1;  ///< -1 if a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
};

/// @param command  the program's path, then its arguments
/// @param out      where standard output goes instead of Outcome::out, "/dev/full" say
Outcome run(const std::vector<std::string>& command, const std::string& out = "");

/// The same with a standard output whose reader is gone.
Outcome run_into_closed_pipe(const std::vector<std::string>& command);

/// `text` without its line ends, one element a line.
std::vector<std::string> lines(const std::string& text);

}  // namespace moefb::testing

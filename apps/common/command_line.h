// CLI11 as our programs use it. Includes all of it: for the file that declares a program's options, nowhere else.
#pragma once

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <string>

#include "apps/common/program.h"
#include "moefb/inspect.h"

namespace moefb::apps {

/// A command line with --help and --version.
struct CommandLine {
  explicit CommandLine(const std::string& purpose) : app(purpose, program_name()) {
    const std::string onednn = onednn_version();
    app.set_version_flag(
        "--version", program_name() + ' ' + version() + (onednn.empty() ? " (without oneDNN)" : " (" + onednn + ")"));
  }

  /// @return false if --help or --version was asked for, which has been printed
  /// @throws std::runtime_error instead of CLI11's errors, whose exit codes lie above 100
  bool parse(int argc, char** argv) {
    try {
      app.parse(argc, argv);
      return true;
    } catch (const CLI::CallForHelp&) {
      print(app.help());
    } catch (const CLI::CallForVersion& e) {
      print(std::string(e.what()) + '\n');
    } catch (const CLI::ParseError& e) {
      throw std::runtime_error(std::string(e.what()) + " (see --help)");
    }
    return false;
  }

  CLI::App app;
};

}  // namespace moefb::apps

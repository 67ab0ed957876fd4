// The frame of a program: failures become one line on stderr and exit code 1, also those of standard output.
#pragma once

#include <string>
#include <string_view>

#include "moefb/result.h"

namespace moefb::apps {

/// Runs `body(argc, argv)`; what it throws is printed as "NAME: message" and becomes 1.
/// A closed pipe is a failed write, not a signal: see print().
int run_program(int argc, char** argv, int (*body)(int argc, char** argv));

/// The name it was called by: convert is installed as moefb-convert.
const std::string& program_name();

/// Writes all of `text` to standard output, now. @throws std::runtime_error with the system's reason
void print(std::string_view text);

/// The same for text that is no result: to stderr where standard output is for JSON alone.
void print_note(std::string_view text, bool json);

/// Writes "NAME: message" to stderr; NAME is program_name().
void complain(std::string_view message);

/// "corrupt file: segment checksum differs (at 3; found 17, expected 42)"
std::string describe(const Status& status);

/// @throws std::runtime_error "FILE: what Status::describe says" unless `status` is fine
void check(const Status& status, const std::string& file);

}  // namespace moefb::apps

// Several processes of one program on this machine, started and watched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moefb::trainer {

/// Runs `command` in `processes` processes, with the variables that world_from_environment() reads, and waits for all.
/// SIGINT and SIGTERM are passed on to each, once for each that comes. When one fails, the others get SIGTERM, and a
/// few seconds later SIGKILL; they end too when this process does.
/// @param command  the program's path, then its arguments
/// @return 0 if all returned 0; the highest exit code where some returned one above 128, or SIGINT or SIGTERM ended
///         them: they stopped because they were asked to
/// @throws std::runtime_error  that names the process that failed first and how
int launch(const std::vector<std::string>& command, int64_t processes);

}  // namespace moefb::trainer

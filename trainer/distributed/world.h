// Where a process stands among those that train together, as `torchrun` and `trainer launch` say it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace moefb::trainer {

struct World {
  int64_t rank = 0;
  int64_t size = 1;
  int64_t local_rank = 0;  ///< among those of this machine
  int64_t local_size = 1;
  std::string master_address;  ///< the store through which they find each other
  int64_t master_port = 0;
  bool store_runs = false;  ///< whoever started the processes serves the store; else process 0 does
  std::string store_prefix;

  bool alone() const { return size == 1; }
};

/// The value of an environment variable; null if it is not set.
using Environment = std::function<const char*(const char* name)>;

/// Reads RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, LOCAL_RANK and LOCAL_WORLD_SIZE where they are set, and
/// torchrun's TORCHELASTIC_USE_AGENT_STORE and TORCHELASTIC_RESTART_COUNT. Neither RANK nor WORLD_SIZE: alone.
/// @throws std::runtime_error that names the variable, what it holds and what was expected
World world_from_environment(const Environment& environment);
/// Of this process's own environment.
World world_from_environment();

}  // namespace moefb::trainer

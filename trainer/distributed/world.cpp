#include "trainer/distributed/world.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace moefb::trainer {
namespace {

constexpr int64_t kMostProcesses = 1 << 16;

[[noreturn]] void fail(const std::string& name, const std::string& expected, const std::string& found) {
  throw std::runtime_error("environment variable " + name + ": expected " + expected + ", found " + found +
                           " (several processes are started with `trainer launch` or `torchrun`)");
}

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  bool has(const char* name) const { return environment_(name) != nullptr; }

  std::string text(const char* name) const {
    const char* value = environment_(name);
    if (!value || !*value) fail(name, "a value, since RANK or WORLD_SIZE is set", value ? "an empty one" : "none");
    return value;
  }

  int64_t integer(const char* name, int64_t lowest, int64_t highest) const {
    const std::string value = text(name);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < lowest || number > highest) {
      fail(name, "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest), value);
    }
    return number;
  }

  int64_t integer_or(const char* name, int64_t lowest, int64_t highest, int64_t absent) const {
    return has(name) ? integer(name, lowest, highest) : absent;
  }

 private:
  const Environment& environment_;
};

}  // namespace

World world_from_environment(const Environment& environment) {
  const Variables variables(environment);
  World world;
  if (!variables.has("RANK") && !variables.has("WORLD_SIZE")) return world;
  world.size = variables.integer("WORLD_SIZE", 1, kMostProcesses);
  world.rank = variables.integer("RANK", 0, world.size - 1);
  world.local_size = variables.integer_or("LOCAL_WORLD_SIZE", 1, world.size, world.size);
  world.local_rank = variables.integer_or("LOCAL_RANK", 0, world.local_size - 1, world.rank % world.local_size);
  world.master_address = variables.text("MASTER_ADDR");
  world.master_port = variables.integer("MASTER_PORT", 1, 65535);
  if (!variables.has("TORCHELASTIC_USE_AGENT_STORE")) return world;
  world.store_runs = variables.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  // Each attempt finds its own keys, as PyTorch's own workers have it.
  world.store_prefix =
      "/worker/attempt_" + std::to_string(variables.integer_or("TORCHELASTIC_RESTART_COUNT", 0, 1 << 30, 0));
  return world;
}

World world_from_environment() {
  return world_from_environment([](const char* name) { return std::getenv(name); });
}

}  // namespace moefb::trainer

// What the environment says of several processes, and what is wrong with it.
#include "trainer/distributed/world.h"

#include <gtest/gtest.h>

#include <map>

#include "converter/temporary_folder.h"

namespace moefb::trainer {
namespace {

using testing::contains;
using testing::message_of;

using Variables = std::map<std::string, std::string>;

World world_of(const Variables& variables) {
  return world_from_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Variables torchrun() {
  return {{"RANK", "3"},        {"WORLD_SIZE", "4"},         {"LOCAL_RANK", "1"},
          {"MASTER_PORT", "9"}, {"MASTER_ADDR", "10.0.0.1"}, {"LOCAL_WORLD_SIZE", "2"}};
}

TEST(World, WithoutVariablesAProcessIsAlone) {
  EXPECT_TRUE(world_of({}).alone());
  EXPECT_EQ(world_of({{"LOCAL_RANK", "1"}, {"MASTER_PORT", "x"}}).rank, 0);
}

TEST(World, ReadsWhatTorchrunSets) {
  const World world = world_of(torchrun());
  EXPECT_EQ(world.rank, 3);
  EXPECT_EQ(world.size, 4);
  EXPECT_EQ(world.local_rank, 1);
  EXPECT_EQ(world.local_size, 2);
  EXPECT_EQ(world.master_address, "10.0.0.1");
  EXPECT_EQ(world.master_port, 9);
  EXPECT_FALSE(world.store_runs);
}

TEST(World, UsesTheStoreOfTorchrunWhereItServesOne) {
  Variables variables = torchrun();
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  variables["TORCHELASTIC_RESTART_COUNT"] = "2";
  EXPECT_TRUE(world_of(variables).store_runs);
  EXPECT_EQ(world_of(variables).store_prefix, "/worker/attempt_2");
}

TEST(World, NamesTheVariableThatIsWrong) {
  const auto refusal = [](const std::string& name, const std::string& value) {
    Variables variables = torchrun();
    variables[name] = value;
    return message_of([&] { world_of(variables); });
  };
  EXPECT_TRUE(contains(refusal("RANK", "4"), "RANK: expected a whole number from 0 to 3, found 4"));
  EXPECT_TRUE(contains(refusal("RANK", "two"), "RANK: expected a whole number from 0 to 3, found two"));
  EXPECT_TRUE(contains(refusal("WORLD_SIZE", "0"), "WORLD_SIZE: expected a whole number from 1"));
  EXPECT_TRUE(contains(refusal("LOCAL_RANK", "2"), "LOCAL_RANK: expected a whole number from 0 to 1, found 2"));
  EXPECT_TRUE(contains(refusal("MASTER_PORT", "70000"), "MASTER_PORT: expected a whole number from 1 to 65535"));
  EXPECT_TRUE(contains(refusal("MASTER_ADDR", ""), "MASTER_ADDR: expected a value"));
}

TEST(World, NamesTheVariableThatIsMissing) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    Variables variables = torchrun();
    variables.erase(name);
    EXPECT_TRUE(contains(message_of([&] { world_of(variables); }), std::string(name) + ": expected a value"));
  }
}

}  // namespace
}  // namespace moefb::trainer

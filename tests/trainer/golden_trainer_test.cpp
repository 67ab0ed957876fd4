// The trainer's modules against the published code: every fixture whose kind is known here. See golden_fixtures.h for
// where they are looked for.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <map>

#include "golden_fixtures.h"
#include "trainer/golden_checks.h"

namespace moefb::golden {
namespace {

using Check = void (*)(const Fixture&);

const std::map<std::string, Check>& checks() {
  static const std::map<std::string, Check> by_kind = {
      {"cifar_head", check_head},
      {"cifar_e2e", check_whole_model},
      {"cifar_head_train", check_head_training},
      {"cifar_train_step", check_steps},
      {"cifar_losses", check_losses},
      {"cifar_metrics", check_routing_stats},
      {"cifar_hessian", check_hessian},
      {"patch_extract", check_patch_extraction},
      {"patch_module", check_patch_module},
      {"patch_router", check_patch_router},
      {"patch_net", check_patch_net},
      {"patch_schedules", check_patch_schedules},
      {"patch_train_step", check_patch_steps},
  };
  return by_kind;
}

std::vector<Fixture> known_fixtures() {
  std::vector<Fixture> known;
  for (Fixture& fixture : all_fixtures()) {
    if (checks().contains(fixture.kind())) known.push_back(std::move(fixture));
  }
  return known;
}

class GoldenTrainer : public ::testing::TestWithParam<Fixture> {
 protected:
  static void SetUpTestSuite() { at::set_num_threads(1); }  // as the fixtures were made
};

TEST_P(GoldenTrainer, AgreesWithThePublishedCode) {
  checks().at(GetParam().kind())(GetParam());
}

// Without fixtures there is no case at all: GoogleTest then reports the uninstantiated suite as a failure.
INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenTrainer, ::testing::ValuesIn(known_fixtures()),
                         [](const auto& info) { return test_name(info.param); });

}  // namespace
}  // namespace moefb::golden

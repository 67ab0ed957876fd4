// Files that a crash or a stranger left; that resuming gives the same bytes is training_test's.
#include "trainer/train/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "converter/temporary_folder.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/sgd.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::message_of;
using testing::TemporaryFolder;

ModelConfig small_config() {
  ModelConfig config;
  config.width0 = 2;
  config.in_dim = 16;
  config.num_classes = 3;
  return config;
}

class Checkpoint : public ::testing::Test {
 protected:
  void save(int64_t step) {
    Position position;
    position.step = step;
    position.best_val_acc = 1.0 / 3;
    position.routing_sums = {0, 1, 2, 3};
    save_checkpoint(run_, net_, sgd_, position);
  }
  /// Moves every weight, so that each step has its own.
  void change_weights() {
    const at::NoGradGuard no_grad;
    for (auto& parameter : net_.parameters()) parameter.add_(1);
  }

  TemporaryFolder folder_;
  RunFolder run_ = RunFolder::create(folder_ / "run");
  CifarNet net_{small_config()};
  Sgd sgd_{net_, {}};
};

TEST_F(Checkpoint, RestoresPositionMomentumAndGenerator) {
  const std::string name = "head.gate.w_gate.bias";
  sgd_.set_momentum({{name, at::arange(8, at::kFloat)}});
  at::manual_seed(5);
  at::rand({3});
  save(7);
  const at::Tensor expected = at::rand({100});

  at::manual_seed(6);
  sgd_.set_momentum({});
  const Position position = load_checkpoint(run_, net_, sgd_);
  EXPECT_EQ(position.step, 7);
  EXPECT_EQ(position.best_val_acc, 1.0 / 3);
  EXPECT_EQ(position.routing_sums, (std::vector<double>{0, 1, 2, 3}));
  EXPECT_TRUE(sgd_.momentum().at(name).equal(at::arange(8, at::kFloat)));
  EXPECT_TRUE(at::rand({100}).equal(expected));
}

TEST_F(Checkpoint, CrashBetweenTheTwoRenamesIsMended) {
  save(1);
  fs::copy_file(run_.last_weights(), folder_ / "old");
  change_weights();
  save(2);
  const auto expected = state_dict(net_).tensors;
  // As if the program had died with optimizer.safetensors in place and the weights still under their pending name.
  fs::rename(run_.last_weights(), run_.last_weights() + ".pending");
  fs::rename(folder_ / "old", run_.last_weights());

  change_weights();
  EXPECT_EQ(load_checkpoint(run_, net_, sgd_).step, 2);
  for (const auto& [name, tensor] : state_dict(net_).tensors) EXPECT_EQ(tensor.data, expected.at(name).data) << name;
}

TEST_F(Checkpoint, RefusesFilesOfDifferentSteps) {
  save(1);
  fs::copy_file(run_.last_weights(), folder_ / "old");
  save(2);
  fs::rename(folder_ / "old", run_.last_weights());
  EXPECT_TRUE(contains(message_of([&] { load_checkpoint(run_, net_, sgd_); }), "are of different steps"));
}

TEST_F(Checkpoint, NamesWhatIsMissing) {
  save(1);
  safetensors::File file = safetensors::read(run_.optimizer());
  file.tensors.erase("generator_state");
  safetensors::write(run_.optimizer(), file);
  EXPECT_TRUE(contains(message_of([&] { load_checkpoint(run_, net_, sgd_); }), "generator_state is missing"));
}

}  // namespace
}  // namespace moefb::trainer

#include "trainer/report/read_run.h"

#include <gtest/gtest.h>

#include <cmath>

#include "converter/safetensors.h"
#include "trainer/report/analysis_files.h"
#include "trainer/report/run_folders.h"

namespace moefb::report {
namespace {

using testing::contains;
using testing::message_of;

TEST(ReadRun, ReadsWhatTrainingLeaves) {
  RunFolders folders;
  const auto run = read_run(folders.add_head("a", "sparse", 3, 0.6));
  EXPECT_EQ(run.setup.head, "sparse");
  EXPECT_EQ(run.setup.experts, 3);
  EXPECT_EQ(run.setup.k, 2);
  EXPECT_EQ(run.setup.seed, 3);
  EXPECT_EQ(run.setup.data, "cifar10");
  ASSERT_EQ(run.epochs.size(), 2u);
  EXPECT_EQ(run.epochs[1].val_acc, 0.6);
  EXPECT_EQ(run.epochs[1].utilisation, (std::vector<double>{0.5, 0.3, 0.2}));
  ASSERT_TRUE(run.test);
  EXPECT_EQ(run.test->class_expert.at(1, 2), 0.7);
}

TEST(ReadRun, ASparseHeadWithOneExpertATokenIsHard) {
  RunFolders folders;
  Json config = head_config("sparse", 1);
  config["k"] = 1;
  EXPECT_EQ(read_run(folders.add("a", config, {})).setup.head, "hard");
}

TEST(ReadRun, NamesClassFoldersByTheFolder) {
  RunFolders folders;
  EXPECT_EQ(read_run(folders.add("a", patch_config(4, 1), {})).setup.data, "flowers");
}

TEST(ReadRun, AnImportedRunHasNoEpochs) {
  RunFolders folders;
  const auto run = read_run(folders.add("a", head_config("dense", 1), {}));
  EXPECT_TRUE(run.epochs.empty());
  EXPECT_FALSE(run.test);
}

TEST(ReadRun, TakesNullForALossThatBrokeDown) {
  RunFolders folders;
  Json line = epoch_line(1, 0.1);
  line["train_loss"] = nullptr;
  EXPECT_TRUE(std::isnan(read_run(folders.add("a", head_config("dense", 1), {line})).epochs[0].train_loss));
}

TEST(ReadRun, CountsTrainedParametersOnly) {
  RunFolders folders;
  const std::string run = folders.add("a", head_config("dense", 1), {});
  const std::vector<float> six(6);
  safetensors::File weights;
  weights.tensors["conv.weight"] = safetensors::Tensor::from_f32({2, 3}, six);
  weights.tensors["bn.running_mean"] = safetensors::Tensor::from_f32({6}, six);
  safetensors::write(run + "/model.safetensors", weights);
  EXPECT_EQ(read_run(run).parameters, 6);
}

TEST(ReadRun, SaysThatAFolderHoldsNoRun) {
  RunFolders folders;
  EXPECT_TRUE(contains(message_of([&] { read_run(folders.path("nowhere")); }),
                       "is not a run folder: expected a config.json in it"));
}

TEST(ReadRun, NamesFileAndLineOfACorruptMetricsLine) {
  RunFolders folders;
  const std::string run = folders.add("a", head_config("dense", 1), {epoch_line(1, 0.5)});
  write_text(run + "/metrics.jsonl", epoch_line(1, 0.5).dump() + "\n{\"epoch\": 2, \"train_lo\n");
  EXPECT_TRUE(contains(message_of([&] { read_run(run); }), run + "/metrics.jsonl:2: not valid JSON"));
}

TEST(ReadRun, NamesLineAndKeyOfAValueOfAnotherType) {
  RunFolders folders;
  Json line = epoch_line(2, 0.5);
  line["val_acc"] = "high";
  const std::string run = folders.add("a", head_config("dense", 1), {epoch_line(1, 0.5), line});
  EXPECT_TRUE(
      contains(message_of([&] { read_run(run); }), "metrics.jsonl:2: val_acc: expected a number, found \"high\""));
}

TEST(ReadRun, RefusesEpochsOutOfOrder) {
  RunFolders folders;
  const std::string run = folders.add("a", head_config("dense", 1), {epoch_line(2, 0.5), epoch_line(2, 0.5)});
  EXPECT_TRUE(
      contains(message_of([&] { read_run(run); }), "metrics.jsonl:2: epoch: expected a number above 2, found 2"));
}

TEST(ReadRun, RefusesAnUnknownKind) {
  RunFolders folders;
  Json config = head_config("dense", 1);
  config["kind"] = "transformer";
  EXPECT_TRUE(contains(message_of([&] { read_run(folders.add("a", config, {})); }),
                       "kind: expected cifar_e2e, patch_net or resnet18"));
}

TEST(ReadAnalysis, ReadsAllThreeFiles) {
  RunFolders folders;
  const std::string path = folders.add_head("a", "sparse", 1, 0.6);
  write_analysis(path, "hessian.json", hessian_json());
  write_analysis(path, "routing.json", head_routing_json());
  write_analysis(path, "efficiency.json", efficiency_json());
  const auto run = read_run(path);
  const Curvature& train = run.hessian->subsets.at("train");
  EXPECT_EQ(train.eigenvalues, (std::vector<double>{20, -8, 3}));
  EXPECT_EQ(train.traces.at("hutchinson").mean, 90);
  EXPECT_TRUE(std::isnan(train.curves[0].losses[2]));
  EXPECT_EQ(train.surfaces[0].losses.at(1, 1), 0.3);
  EXPECT_EQ(run.routing->layers[0].specialisation->bits, 0.4);
  EXPECT_EQ(run.routing->examples[0].file, path + "/analysis/examples/e1.png");
  EXPECT_EQ(run.efficiency->machine(), "Some CPU, 2 cores, AVX2");
  EXPECT_TRUE(std::isnan(run.efficiency->rows[0].peak_mib));
  EXPECT_EQ(run.parameters, 1234);
}

TEST(ReadAnalysis, RefusesAnotherFormat) {
  RunFolders folders;
  const std::string path = folders.add_head("a", "dense", 1, 0.6);
  Json json = hessian_json();
  json["format"] = 2;
  write_analysis(path, "hessian.json", json);
  EXPECT_TRUE(contains(message_of([&] { read_run(path); }),
                       "hessian.json: format: expected 1, which this program reads, found 2"));
}

TEST(ReadAnalysis, RefusesListsThatDoNotFitTogether) {
  RunFolders folders;
  const std::string path = folders.add_head("a", "dense", 1, 0.6);
  Json json = hessian_json();
  json["subsets"]["train"]["curves"][0]["losses"] = {1.0, 2.0};
  write_analysis(path, "hessian.json", json);
  EXPECT_TRUE(
      contains(message_of([&] { read_run(path); }), "losses: expected 3 entries, as many as alphas has, not 2"));
}

TEST(ReadAnalysis, RefusesAGridThatDoesNotFitThePatches) {
  RunFolders folders;
  const std::string path = folders.add_patches("a", 2, 1, 0.6);
  Json json = patch_routing_json();
  json["layers"][1]["grid"] = {4, 2};
  write_analysis(path, "routing.json", json);
  EXPECT_TRUE(
      contains(message_of([&] { read_run(path); }), "layers[1]: grid: expected rows and columns of the 6 patches"));
}

}  // namespace
}  // namespace moefb::report

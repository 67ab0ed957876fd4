// `trainer analyze RUN hessian` on a network that need not be good at anything.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "converter/strict_json.h"
#include "converter/temporary_folder.h"
#include "trainer/analysis/hessian.h"
#include "trainer/models/state_dict.h"
#include "trainer/train/tiny_run.h"

namespace moefb::trainer {
namespace {

using nlohmann::json;

class AnalyzeHessian : public ::testing::Test {
 protected:
  AnalyzeHessian() {
    command_.pictures = 10;
    command_.hessian.batch_size = 8;
    command_.hessian.eigenvalues = 2;
    command_.hessian.products = 6;
    command_.hessian.trace_products = 3;
    command_.hessian.points = 3;
    command_.hessian.surface = 3;
  }

  /// A run of random weights, as after `trainer import`.
  std::string make_run(const std::string& name, const std::vector<std::string>& sets = {}) {
    const TinyRun tiny(folder_ / (name + ".toml"), sets);
    const RunFolder run = RunFolder::create(folder_ / name);
    write_file_atomically(run.config(), to_json(tiny.config));
    at::manual_seed(1);
    safetensors::write(run.kept_weights(), state_dict(make_network(tiny.config.model)->module()));
    return run.path();
  }

  static std::string text_of(const std::string& run) {
    const auto bytes = read_file(run + "/analysis/hessian.json");
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  json analyzed(const std::string& run) {
    command_.run = run;
    EXPECT_EQ(analyze(command_), 0);
    return parse_json_object(text_of(run), run);
  }

  testing::TemporaryFolder folder_;
  AnalyzeCommand command_;
};

void expect_whole(const json& subset, int64_t pictures) {
  EXPECT_EQ(subset["pictures"], pictures);
  EXPECT_EQ(subset["eigenvalues"].size(), 2u);
  EXPECT_EQ(subset["residuals"].size(), 2u);
  EXPECT_EQ(subset["method"], "lanczos");
  EXPECT_EQ(subset["iterations"], 6);
  EXPECT_EQ(subset["trace"]["hutchinson"]["samples"], 3);
  EXPECT_EQ(subset["trace"]["hutch++"]["samples"], 1);
  EXPECT_EQ(subset["density"]["lambda"].size(), subset["density"]["density"].size());
  ASSERT_EQ(subset["curves"].size(), 3u);
  EXPECT_EQ(subset["curves"][0]["direction"], "eigenvector 1");
  EXPECT_EQ(subset["curves"][2]["direction"], "random 1");
  for (const json& curve : subset["curves"]) {
    EXPECT_EQ(curve["losses"].size(), 3u);
    EXPECT_EQ(curve["losses"][1], subset["loss"]);
    EXPECT_EQ(curve["accuracies"][1], subset["accuracy"]);
  }
}

TEST_F(AnalyzeHessian, WritesAllThatIsPromised) {
  const json results = analyzed(make_run("run"));
  EXPECT_EQ(results["format"], 1);
  EXPECT_EQ(results["routing"], "free");
  EXPECT_EQ(results["selection"], "all");
  EXPECT_EQ(results["precision"], "f32");
  EXPECT_EQ(results["seed"], 42);
  for (const char* name : {"train", "test"}) expect_whole(results["subsets"][name], 10);
  const json& surfaces = results["subsets"]["train"]["surfaces"];
  ASSERT_EQ(surfaces.size(), 1u);
  ASSERT_EQ(surfaces[0]["losses"].size(), 3u);
  EXPECT_EQ(surfaces[0]["losses"][1][1], results["subsets"]["train"]["loss"]);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/analysis/hessian.partial.safetensors"));
}

TEST_F(AnalyzeHessian, LeavesTheNetworkAsItWas) {
  TrainedRun run = load_trained_run(make_run("run"), "");
  const auto before = safetensors::read(run.folder.kept_weights());
  command_.hessian.f64 = true;
  ASSERT_TRUE(analyze_hessian(run, command_, [] { return false; }));
  const auto after = state_dict(run.network->module());
  ASSERT_EQ(after.tensors.size(), before.tensors.size());
  for (const auto& [name, tensor] : before.tensors) EXPECT_TRUE(after.tensors.at(name).data == tensor.data) << name;
}

TEST_F(AnalyzeHessian, StoppedAnywhereItGoesOnToTheSameResults) {
  command_.run = make_run("whole");
  TrainedRun whole = load_trained_run(command_.run, "");
  ASSERT_TRUE(analyze_hessian(whole, command_, [] { return false; }));
  TrainedRun parts = load_trained_run(make_run("parts"), "");
  int stops = 0;
  const auto some_work = [&] { return analyze_hessian(parts, command_, [left = 16]() mutable { return --left < 0; }); };
  while (!some_work()) ASSERT_LT(++stops, 100);
  EXPECT_GT(stops, 3);
  EXPECT_EQ(text_of(folder_ / "parts"), text_of(folder_ / "whole"));
}

TEST_F(AnalyzeHessian, ThePublishedMethodsCanBeAskedFor) {
  command_.hessian.method = EigenMethod::kPower;
  command_.hessian.eigenvalues = 1;
  command_.hessian.trace = TraceMethod::kPublished;
  command_.hessian.trace_products = 20;
  const json results = analyzed(make_run("run"));
  const json& train = results["subsets"]["train"];
  EXPECT_EQ(train["method"], "power");
  EXPECT_EQ(train["eigenvalues"].size(), 1u);
  EXPECT_LE(train["iterations"].get<int64_t>(), 100);
  EXPECT_LE(train["trace"]["hutchinson"]["samples"].get<int64_t>(), 20);
  EXPECT_FALSE(train["trace"].contains("hutch++"));
}

TEST_F(AnalyzeHessian, MeasuresSelectedParametersWithFrozenRoutes) {
  command_.hessian.parameters = {"head.experts."};
  command_.hessian.routing = RouteMode::kFrozen;
  const json results = analyzed(make_run("run"));
  EXPECT_EQ(results["routing"], "frozen");
  EXPECT_EQ(results["selection"], json({"head.experts."}));
  EXPECT_EQ(results["parameters"], 4 * (16 * 8 + 8 + 8 * 12 + 12));
}

TEST_F(AnalyzeHessian, TakesAllOfASmallerSet) {
  command_.pictures = 1000;
  command_.hessian.batch_size = 1000;
  command_.hessian.products = 2;
  const json results = analyzed(make_run("run"));
  EXPECT_EQ(results["subsets"]["train"]["pictures"], 90);
  EXPECT_EQ(results["subsets"]["test"]["pictures"], 36);
}

TEST_F(AnalyzeHessian, TooLittleMemoryIsNamed) {
  command_.run = make_run("run", {"width0=16"});
  command_.hessian.memory_mib = 1;
  const std::string message = testing::message_of([&] { analyze(command_); });
  EXPECT_TRUE(testing::contains(message, "--memory-mib 1: expected at least"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/analysis"));
}

TEST_F(AnalyzeHessian, LittleMemoryTakesFewerProducts) {
  command_.hessian.products = 40;
  command_.hessian.memory_mib = 55;
  command_.pictures = 2;
  const json results = analyzed(make_run("run", {"width0=16"}));  // 0.7 million parameters: 2.8 MiB a vector
  const auto iterations = results["subsets"]["train"]["iterations"].get<int64_t>();
  EXPECT_GE(iterations, 6);
  EXPECT_LT(iterations, 12);
}

TEST_F(AnalyzeHessian, UnknownAnalysesAndRunsWithoutWeightsAreRefused) {
  command_.run = make_run("run");
  command_.analyses = {"horoscope"};
  EXPECT_TRUE(testing::contains(testing::message_of([&] { analyze(command_); }), "horoscope"));
  command_.analyses = {};
  std::filesystem::remove(folder_ / "run/model.safetensors");
  EXPECT_TRUE(testing::contains(testing::message_of([&] { analyze(command_); }), "has no model.safetensors yet"));
}

}  // namespace
}  // namespace moefb::trainer

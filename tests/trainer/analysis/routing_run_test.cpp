// Routing and efficiency of whole runs, small: what is written, and that it hangs together.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "moefb/image.h"
#include "trainer/analysis/efficiency.h"
#include "trainer/analysis/efficiency_protocol.h"
#include "trainer/analysis/routing.h"
#include "trainer/analysis/saved_weights.h"
#include "trainer/train/tiny_run.h"
#include "trainer/train/whole_runs.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::contains;
using testing::message_of;

/// Beside kTinyPatchToml.
const std::vector<std::string> kThreeExperts = {"num_experts=3", "train.epochs=2"};

bool never() {
  return false;
}

class AnalysedRun : public WholeRuns {
 protected:
  static json routing_of(const RunFolder& folder, const std::vector<std::string>& named = {}) {
    TrainedRun run = load_trained_run(folder.path(), "");
    AnalyzeCommand command;
    command.analyses = named;
    command.routing.permutations = 50;
    EXPECT_TRUE(analyze_routing(run, command, never));
    return json_in(folder.path() + "/analysis/routing.json");
  }
  static json efficiency_of(const RunFolder& folder) {
    TrainedRun run = load_trained_run(folder.path(), "");
    AnalyzeCommand command;
    command.efficiency.warmup = 1;
    command.efficiency.batches = 2;
    EXPECT_TRUE(analyze_efficiency(run, command, never));
    return json_in(folder.path() + "/analysis/efficiency.json");
  }
};

void expect_keys(const json& object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(object.contains(key)) << key;
}

double sum(const json& list) {
  double total = 0;
  for (const json& number : list) total += number.get<double>();
  return total;
}

void expect_rows_sum_to_one(const json& table, size_t rows, size_t columns) {
  ASSERT_EQ(table.size(), rows);
  for (const json& row : table) {
    ASSERT_EQ(row.size(), columns);
    EXPECT_NEAR(sum(row), 1, 1e-6);
  }
}

/// That the file is there, as wide as its tiles ask for.
void expect_sheet(const RunFolder& folder, const json& example, int cell) {
  const std::string path = folder.path() + "/analysis/" + example.at("file").get<std::string>();
  const Result<Image> sheet = load_image(path.c_str());
  ASSERT_TRUE(sheet.ok()) << path;
  const int tiles = example.at("pictures");
  ASSERT_GT(tiles, 0);
  EXPECT_EQ(sheet->width, 4 + std::min(tiles, 8) * (cell + 4));
  EXPECT_EQ(sheet->height, 4 + (tiles + 7) / 8 * (cell + 4));
}

void expect_specialisation(const json& found) {
  expect_keys(found, {"mutual_information_bits", "of_at_most", "chance_mean", "chance_p95", "p_value", "permutations"});
  EXPECT_LE(found.at("mutual_information_bits"), found.at("of_at_most").get<double>() + 1e-9);
  EXPECT_GE(found.at("p_value"), 1.0 / 51);
  EXPECT_LE(found.at("p_value"), 1);
}

TEST_F(AnalysedRun, RoutingOfASparseHeadHasEveryKey) {
  const RunFolder folder = finished("sparse", kTinyToml);
  const json routing = routing_of(folder);
  expect_keys(routing, {"format", "kind", "pictures", "class_names", "layers", "transitions", "stability", "examples"});
  EXPECT_EQ(routing.at("kind"), "cifar_e2e");
  EXPECT_EQ(routing.at("pictures"), 36);
  ASSERT_EQ(routing.at("layers").size(), 1u);
  const json& head = routing.at("layers").at(0);
  expect_keys(head, {"layer", "experts", "tokens", "dropped", "utilisation", "load", "entropy", "class_expert",
                     "class_counts", "specialisation", "coactivation"});
  EXPECT_FALSE(head.contains("position_expert"));
  EXPECT_EQ(head.at("layer"), -1);
  EXPECT_NEAR(sum(head.at("utilisation")), 1, 1e-5);
  EXPECT_NEAR(sum(head.at("load")), 2, 1e-5);
  for (size_t e = 0; e < 4; ++e) {
    EXPECT_NEAR(head.at("coactivation").at(e).at(e), head.at("load").at(e).get<double>(), 1e-9);
  }
  expect_rows_sum_to_one(head.at("class_expert"), routing.at("class_names").size(), 4);
  EXPECT_EQ(sum(head.at("class_counts")), 36);
  expect_specialisation(head.at("specialisation"));
  for (const json& example : routing.at("examples")) expect_sheet(folder, example, 64);
}

TEST_F(AnalysedRun, RoutingAgreesWithWhatTrainingLogged) {
  const RunFolder folder = finished("soft", kTinyToml, {"head=soft"});
  const json head = routing_of(folder).at("layers").at(0);
  const json logged = lines_of(folder).back();
  EXPECT_EQ(head.at("utilisation"), logged.at("util_test_snapshot"));
  EXPECT_EQ(head.at("entropy"), logged.at("entropy_test_snapshot"));
  EXPECT_EQ(head.at("class_expert"), logged.at("class_expert_mean"));
}

TEST_F(AnalysedRun, RoutingOfAPatchNetworkHasEveryKey) {
  const RunFolder folder = finished("patch", kTinyPatchToml, kThreeExperts);
  const json routing = routing_of(folder);
  EXPECT_EQ(routing.at("kind"), "patch_net");
  ASSERT_EQ(routing.at("layers").size(), 5u);
  for (const json& layer : routing.at("layers")) {
    expect_keys(layer, {"layer", "experts", "tokens", "dropped", "utilisation", "load", "entropy", "class_expert",
                        "class_counts", "specialisation", "position_expert", "grid", "router"});
    EXPECT_FALSE(layer.contains("coactivation"));
    const int side = layer.at("layer") == 7 ? 1 : 2;  // patches stop at 2 pixels of the map
    const int tokens = 36 * side * side;
    EXPECT_EQ(layer.at("tokens"), tokens);
    EXPECT_EQ(layer.at("grid"), json({side, side}));
    EXPECT_NEAR(sum(layer.at("load")) * tokens, tokens - layer.at("dropped").get<double>(), 1e-6);
    expect_rows_sum_to_one(layer.at("position_expert"), size_t(side * side), 3);
    expect_rows_sum_to_one(layer.at("class_expert"), routing.at("class_names").size(), 3);
    expect_specialisation(layer.at("specialisation"));
    EXPECT_EQ(layer.at("router").at("tokens"), tokens);
  }
  ASSERT_EQ(routing.at("transitions").size(), 4u);
  EXPECT_EQ(routing.at("transitions").at(1).at("from"), 1);
  EXPECT_EQ(routing.at("transitions").at(1).at("to"), 3);
  EXPECT_TRUE(routing.at("router").contains("imbalance_max"));
  EXPECT_TRUE(contains(routing.at("router_note"), "swapped"));
  for (const json& example : routing.at("examples")) expect_sheet(folder, example, 64);
}

TEST_F(AnalysedRun, EqualWeightsRouteEqually) {
  const RunFolder folder = finished("sparse", kTinyToml);
  fs::copy_file(folder.last_weights(), folder.path() + "/weights-epoch-0001.safetensors");
  fs::copy_file(folder.last_weights(), folder.path() + "/weights-epoch-none.safetensors");
  const std::vector<SavedWeights> saved = saved_weights(folder);
  EXPECT_EQ(saved, (std::vector<SavedWeights>{{1, "weights-epoch-0001.safetensors"}, {2, "last.safetensors"}}));
  const json routing = routing_of(folder);
  ASSERT_EQ(routing.at("stability").size(), 1u);
  const json& step = routing.at("stability").at(0);
  EXPECT_EQ(step.at("from_epoch"), 1);
  EXPECT_EQ(step.at("to_epoch"), 2);
  EXPECT_EQ(step.at("layers").at(0).at("layer"), -1);
  EXPECT_EQ(step.at("layers").at(0).at("same"), 1.0);
}

TEST_F(AnalysedRun, OtherWeightsOfAnotherNetworkAreRefusedByName) {
  const RunFolder folder = finished("sparse", kTinyToml);
  const RunFolder other = finished("other", kTinyToml, {"num_experts=5"});
  fs::copy_file(other.last_weights(), folder.path() + "/weights-epoch-0001.safetensors");
  EXPECT_TRUE(contains(message_of([&] { routing_of(folder); }), "weights-epoch-0001.safetensors"));
  EXPECT_FALSE(fs::exists(folder.path() + "/analysis/routing.json"));
}

TEST_F(AnalysedRun, WithoutExpertsHasNoRoutingAndSaysSoIfAskedByName) {
  const RunFolder folder = finished("dense", kTinyToml, {"head=dense"});
  TrainedRun run = load_trained_run(folder.path(), "");
  AnalyzeCommand command;
  EXPECT_TRUE(analyze_routing(run, command, never));
  EXPECT_FALSE(fs::exists(folder.path() + "/analysis/routing.json"));
  command.analyses = {"routing"};
  EXPECT_TRUE(contains(message_of([&] { analyze_routing(run, command, never); }), "no experts"));
}

TEST_F(AnalysedRun, SheetsThatDoNotComeAgainAreRemovedAndOtherFilesAreNot) {
  const RunFolder folder = finished("sparse", kTinyToml);
  const std::string examples = folder.path() + "/analysis/examples";
  fs::create_directories(examples);
  write_file_atomically(examples + "/layer7-expert9.png", std::string_view("old"));
  write_file_atomically(examples + "/notes.txt", std::string_view("mine"));
  routing_of(folder);
  EXPECT_FALSE(fs::exists(examples + "/layer7-expert9.png"));
  EXPECT_TRUE(fs::exists(examples + "/notes.txt"));
}

TEST_F(AnalysedRun, StoppedAnywhereLeavesTheEarlierResults) {
  const RunFolder folder = finished("sparse", kTinyToml);
  const json routing = routing_of(folder);
  const json efficiency = efficiency_of(folder);
  TrainedRun run = load_trained_run(folder.path(), "");
  AnalyzeCommand command;
  command.seed = 7;
  command.pictures = 20;
  command.routing.permutations = 20;
  command.efficiency.batches = 1;
  for (const int patience : {0, 1, 3}) {  // in the first pass, at its end, later
    int asked = 0;
    EXPECT_FALSE(analyze_routing(run, command, [&] { return asked++ == patience; }));
  }
  EXPECT_FALSE(analyze_efficiency(run, command, [] { return true; }));
  EXPECT_EQ(json_in(folder.path() + "/analysis/routing.json"), routing);
  EXPECT_EQ(json_in(folder.path() + "/analysis/efficiency.json"), efficiency);
}

void expect_rows(const json& rows, const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const json& row : rows) {
    expect_keys(row, {"engine", "dispatch", "kernels", "device", "threads", "batch", "warmup", "batches", "mean_ms",
                      "std_ms", "median_ms", "images_per_s", "peak_mib"});
    if (row.at("threads") == 1)
      found.push_back(row.at("engine").get<std::string>() + " " + row.at("dispatch").get<std::string>());
    EXPECT_GT(row.at("mean_ms"), 0);
    EXPECT_NEAR(row.at("images_per_s").get<double>() * row.at("mean_ms").get<double>(),
                1000 * row.at("batch").get<double>(), 1e-3);
  }
  EXPECT_EQ(found, names);
}

TEST_F(AnalysedRun, EfficiencyOfASparseHeadHasEveryKey) {
  const json efficiency = efficiency_of(finished("sparse", kTinyToml));
  expect_keys(efficiency,
              {"format", "machine", "protocol", "parameters", "active_parameters", "multiply_adds", "f32_mib", "rows"});
  expect_keys(efficiency.at("machine"), {"cpu", "cores", "instruction_set", "gpu", "libtorch"});
  EXPECT_EQ(efficiency.at("protocol"), "cifar-heads 12.4");
  expect_rows(efficiency.at("rows"), {"libtorch -", "runtime grouped", "runtime naive", "runtime all"});
  expect_rows(efficiency.at("head").at("rows"), {"libtorch -", "runtime grouped", "runtime naive", "runtime all"});
  EXPECT_LT(efficiency.at("head").at("multiply_adds"), efficiency.at("multiply_adds"));
  EXPECT_EQ(efficiency.at("rows").at(0).at("batches"), 1);  // of 32: there are 36 pictures
  EXPECT_EQ(efficiency.at("pictures"), 32);
}

TEST_F(AnalysedRun, EfficiencyOfAPatchNetworkTakesOnePictureATime) {
  const json efficiency = efficiency_of(finished("patch", kTinyPatchToml, kThreeExperts));
  EXPECT_EQ(efficiency.at("protocol"), "patch-moe 11");
  expect_rows(efficiency.at("rows"),
              {"libtorch index", "libtorch onehot", "runtime grouped", "runtime naive", "runtime all"});
  EXPECT_EQ(efficiency.at("rows").at(0).at("batch"), 1);
  EXPECT_EQ(efficiency.at("pictures"), 3);  // the warm-up's counts for the accuracy, not for the times
  EXPECT_FALSE(efficiency.contains("head"));
}

TEST_F(AnalysedRun, EfficiencyOnADeviceThatIsNotThereIsRefusedBeforeAnythingIsTimed) {
  TrainedRun run = load_trained_run(finished("dense", kTinyToml, {"head=dense"}).path(), "");
  AnalyzeCommand command;
  command.device = "tpu";
  int asked = 0;
  const std::string message = message_of([&] { analyze_efficiency(run, command, [&] { return ++asked > 0; }); });
  EXPECT_TRUE(contains(message, "--device: expected cpu or cuda, found tpu"));
  EXPECT_EQ(asked, 0);
}

TEST(EfficiencyProtocol, IsThePublishedOne) {
  EfficiencyOptions published;
  published.published = true;
  const Protocol head = protocol_of(ModelConfig{}, published, at::kCPU);
  EXPECT_EQ(head.batch, 32);
  EXPECT_EQ(head.warmup, 30);
  EXPECT_EQ(head.batches, 200);
  EXPECT_EQ(protocol_of(ModelConfig{}, published, at::kCUDA).batch, 256);
  const Protocol patches = protocol_of(PatchNetConfig{}, published, at::kCPU);
  EXPECT_EQ(patches.batch, 1);
  EXPECT_EQ(patches.warmup + patches.batches, 101);
  EXPECT_EQ(protocol_of(PatchNetConfig{}, published, at::kCUDA).batch, 1);
}

TEST_F(AnalysedRun, EfficiencyOfADenseHeadHasNoDispatch) {
  const json efficiency = efficiency_of(finished("dense", kTinyToml, {"head=dense"}));
  expect_rows(efficiency.at("rows"), {"libtorch -", "runtime -"});
}

}  // namespace
}  // namespace moefb::trainer

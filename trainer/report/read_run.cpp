#include "trainer/report/read_run.h"

#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"
#include "converter/safetensors.h"
#include "converter/strict_json.h"
#include "trainer/report/fields.h"
#include "trainer/report/read_analysis.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::string file_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void flatten(const Json& value, const std::string& key, std::map<std::string, std::string>& settings) {
  if (!value.is_object()) {
    settings[key] = value.is_string() ? value.get<std::string>() : value.dump();
    return;
  }
  for (const auto& [name, inner] : value.items()) flatten(inner, key.empty() ? name : key + "." + name, settings);
}

/// "cifar10"; of class folders, which all have the same kind, the folder's name.
std::string data_name(const Fields& data) {
  const std::string name = data.text_if_any("name");
  const fs::path path = fs::path(data.text_if_any("path")).lexically_normal();
  if (name != "folder") return name;
  return (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

/// Side of the pictures: a number, or the equal height and width.
int64_t read_image(const Fields& config, int64_t published) {
  if (!config.has("image") || !config.json().at("image").is_array()) return config.integer_if_any("image", published);
  const std::vector<double> sides = config.numbers("image");
  if (sides.size() != 2 || sides[0] != sides[1]) config.fail("image", "a side, or two equal ones");
  return int64_t(sides[0]);
}

void read_network(const Fields& config, Setup& setup) {
  setup.kind = config.text_if_any("kind");
  if (setup.kind.empty()) setup.kind = "cifar_e2e";
  setup.classes = config.integer_if_any("num_classes", 0);
  if (setup.kind == "cifar_e2e") {
    setup.image = read_image(config, 32);
    setup.width = config.integer_if_any("width0", 64);
    setup.head = config.text_if_any("head");
    if (setup.head.empty()) setup.head = "sparse";
    if (setup.head == "dense") return;
    setup.experts = config.integer_if_any("num_experts", 8);
    setup.k = setup.head == "soft" ? setup.experts : config.integer_if_any("k", 2);
    if (setup.head == "sparse" && setup.k == 1) setup.head = "hard";
  } else if (setup.kind == "patch_net") {
    setup.family = Family::kPatches;
    setup.image = read_image(config, 224);
    setup.width = config.integer_if_any("base_channels", 64);
    setup.experts = config.integer_if_any("num_experts", 4);
    setup.k = 1;
  } else if (setup.kind == "resnet18") {
    setup.family = Family::kPatches;
    setup.image = read_image(config, 224);
    setup.width = config.integer_if_any("width0", 64);
  } else {
    config.fail("kind", "cifar_e2e, patch_net or resnet18");
  }
}

Setup read_setup(const std::string& path) {
  const Json json = parse_json_object(file_text(path), path);
  const Fields config(json, path);
  Setup setup;
  read_network(config, setup);
  setup.class_names = config.texts_if_any("class_names");
  if (config.has("train")) {
    setup.epochs = config.object("train").integer_if_any("epochs", 0);
    setup.seed = config.object("train").integer_if_any("seed", 0);
  }
  if (config.has("data")) setup.data = data_name(config.object("data"));
  flatten(json, "", setup.settings);
  return setup;
}

RouterRecord read_router(const Fields& line, const std::string& key) {
  RouterRecord record;
  if (!line.has(key)) return record;
  const Fields router = line.object(key);
  router.each_number([&](const std::string& name, double value) { record.values[name] = value; });
  for (const Fields& fields : router.objects_if_any("layers")) {
    RouterLayer layer;
    layer.layer = fields.integer("layer");
    layer.usage = fields.numbers_if_any("usage");
    fields.each_number([&](const std::string& name, double value) { layer.values[name] = value; });
    record.layers.push_back(std::move(layer));
  }
  return record;
}

/// `val_NAME` where the line has it: without noise and dropout (spec/cifar-heads.md, 13, flaw 10).
std::string preferred(const Fields& line, const std::string& name) {
  return line.has("val_" + name) ? "val_" + name : name;
}

Epoch read_epoch(const Fields& line) {
  Epoch epoch;
  epoch.epoch = line.integer("epoch");
  epoch.train_loss = line.number("train_loss");
  epoch.train_acc = line.number("train_acc");
  epoch.val_loss = line.number("val_loss");
  epoch.val_acc = line.number("val_acc");
  epoch.images_per_s = line.number_if_any("images_per_s");
  epoch.data_wait = line.number_if_any("data_wait");
  epoch.seconds = line.number_if_any("seconds");
  epoch.cpu_seconds = line.number_if_any("cpu_seconds");
  epoch.peak_rss_mib = line.number_if_any("peak_rss_mib");
  epoch.entropy = line.number_if_any(preferred(line, "entropy"));
  epoch.utilisation = line.numbers_if_any(preferred(line, "util"));
  epoch.load = line.numbers_if_any(preferred(line, "load"));
  epoch.router = read_router(line, preferred(line, "router"));
  return epoch;
}

TestResult read_test(const Fields& line) {
  TestResult test;
  test.loss = line.number("test_loss");
  test.accuracy = line.number("test_acc");
  test.epoch = line.integer_if_any("tested_epoch", 0);
  test.entropy = line.number_if_any("entropy_test_snapshot");
  test.utilisation = line.numbers_if_any("util_test_snapshot");
  test.load = line.numbers_if_any("load_test_snapshot");
  test.class_expert = line.matrix_if_any("class_expert_mean");
  test.router = read_router(line, "router_test_snapshot");
  return test;
}

void add_line(const std::string& text, const std::string& where, Run& run) {
  const Json json = parse_json_object(text, where);
  const Fields line(json, where);
  if (!line.has("epoch")) {
    run.test = read_test(line);
    return;
  }
  Epoch epoch = read_epoch(line);
  const int64_t last = run.epochs.empty() ? 0 : run.epochs.back().epoch;
  if (epoch.epoch <= last) line.fail("epoch", "a number above " + std::to_string(last));
  run.epochs.push_back(std::move(epoch));
}

void read_metrics(const std::string& path, Run& run) {
  const std::string text = file_text(path);
  size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    add_line(text.substr(begin, end - begin), path + ":" + std::to_string(number), run);
    begin = end + 1;
  }
}

bool is_trained(const std::string& name) {
  return !name.ends_with("running_mean") && !name.ends_with("running_var") && !name.ends_with("num_batches_tracked");
}

std::optional<int64_t> count_parameters(const Run& run) {
  const std::string weights = run.path + "/model.safetensors";
  if (run.efficiency && run.efficiency->parameters > 0) return int64_t(run.efficiency->parameters);
  if (!fs::exists(weights)) return std::nullopt;
  int64_t count = 0;
  for (const auto& [name, tensor] : safetensors::read(weights).tensors)
    count += is_trained(name) ? tensor.elements() : 0;
  return count;
}

}  // namespace

Run read_run(const std::string& path) {
  Run run;
  run.path = path;
  const std::string config = path + "/config.json", metrics = path + "/metrics.jsonl";
  if (!fs::exists(config)) throw std::runtime_error(path + " is not a run folder: expected a config.json in it");
  run.setup = read_setup(config);
  if (fs::exists(metrics)) read_metrics(metrics, run);
  read_analysis(run);
  run.parameters = count_parameters(run);
  return run;
}

}  // namespace moefb::report

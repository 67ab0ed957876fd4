#include <ATen/ATen.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "trainer/models/device.h"
#include "trainer/models/network_place.h"
#include "trainer/train/agreement.h"
#include "trainer/train/commands.h"
#include "trainer/train/counted.h"
#include "trainer/train/export_pictures.h"
#include "trainer/train/predictions.h"
#include "trainer/train/runtime_answers.h"
#include "trainer/train/trained_run.h"

namespace moefb::trainer {
namespace {

/// Sparse heads: how many pictures went to each expert, at all and as their first choice.
void print_routes(const at::Tensor& topk_idx, int64_t experts) {
  const auto share = [&](const at::Tensor& chosen, int64_t e) {
    return 100 * chosen.eq(e).sum().item<double>() / double(topk_idx.size(0));
  };
  for (int64_t e = 0; e < experts; ++e) {
    std::printf("expert %2ld: %5.1f %% of the test pictures, first choice of %5.1f %%\n", long(e), share(topk_idx, e),
                share(topk_idx.select(1, 0), e));
  }
}

/// Batches as the trainer's own where pictures of a batch compete for capacity.
RuntimeSettings runtime_settings(const RunConfig& config) {
  RuntimeSettings settings;
  settings.threads = int(config.train.threads);
  const auto* patches = std::get_if<PatchNetConfig>(&config.model);
  if (patches && patches->router.capacity_group == CapacityGroup::kBatch) settings.batch = int(config.train.batch_size);
  return settings;
}

struct Comparison {
  at::Tensor logits;      ///< (n, C) the runtime's; undefined without a model
  std::string complaint;  ///< empty where it agrees
};

Comparison compare_with_runtime(const EvalCommand& command, const RunConfig& config, const Dataset& dataset,
                                const Evaluation& evaluation) {
  if (command.model.empty()) return {};
  const RuntimeAnswers answers = runtime_answers(command.model, dataset, dataset.test, runtime_settings(config));
  Comparison comparison;
  comparison.logits = at::tensor(answers.logits).reshape(evaluation.logits.sizes());
  const Agreement agreement = compare_answers(evaluation.logits, comparison.logits, answers.bf16_weights);
  const double correct = comparison.logits.argmax(1).eq(evaluation.labels).sum().item<double>();
  std::printf("%s: acc %.2f %%, same class as the trainer for %ld of %s, logits within %.1e\n", command.model.c_str(),
              100 * correct / double(agreement.pictures), long(agreement.same),
              counted(agreement.pictures, "picture").c_str(), agreement.max_error);
  if (!agreement.good()) comparison.complaint = command.model + ": " + describe_disagreement(agreement);
  return comparison;
}

/// Paths of the test pictures where they are files, so that other programs can be given them.
std::vector<std::string> test_files(const RunConfig& config, const Dataset& dataset) {
  std::vector<std::string> files;
  for (int64_t i = 0; i < dataset.test.size(); ++i) {
    const std::filesystem::path name = picture_name(dataset.test, dataset.class_names, i);
    files.push_back((dataset.test.files.empty() ? name : config.data.path / name).string());
  }
  return files;
}

}  // namespace

int eval(const EvalCommand& command) {
  RunConfig asked = load_run_config(RunFolder::open(command.run).config());
  const at::Device device = take_device(asked.train, command.device);  // before the pictures are read
  const TrainedRun run = load_trained_run(command.run, command.data);
  const auto& [folder, config, dataset, network] = run;
  enter(device);
  move_network(network->module(), device);
  const auto meter = make_routing_meter(config.model);
  const Evaluation evaluation = *evaluate(*network, dataset, dataset.test, run.layout(), meter.get());
  std::printf("%s of %s: loss %.4f  acc %.2f %%\n", counted(dataset.test.size(), "test picture").c_str(),
              dataset.name.c_str(), evaluation.loss, 100 * evaluation.accuracy);
  if (evaluation.topk_idx.defined()) print_routes(evaluation.topk_idx, evaluation.probs.size(1));
  std::printf("%s", meter->describe().c_str());

  const Comparison comparison = compare_with_runtime(command, config, dataset, evaluation);
  if (!command.predictions.empty()) {
    write_predictions(command.predictions, evaluation, dataset.class_names, test_files(config, dataset),
                      comparison.logits);
    std::printf("predictions written to %s\n", command.predictions.c_str());
  }
  if (!command.export_folder.empty()) {
    export_pictures(dataset, dataset.test, command.export_folder);
    std::printf("%s written to %s\n", counted(dataset.test.size(), "picture").c_str(), command.export_folder.c_str());
  }
  if (!comparison.complaint.empty()) throw std::runtime_error(comparison.complaint);
  return 0;
}

}  // namespace moefb::trainer

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>

#include "trainer/analysis/contestants.h"
#include "trainer/analysis/efficiency.h"
#include "trainer/analysis/efficiency_report.h"
#include "trainer/analysis/results.h"
#include "trainer/models/cifar_net.h"

namespace moefb::trainer {
namespace {

double accuracy(const std::vector<at::Tensor>& answers, const std::vector<int64_t>& labels) {
  const at::Tensor logits = at::cat(answers);
  const auto counted = int64_t(labels.size());
  const at::Tensor classes = logits.narrow(0, logits.size(0) - counted, counted).argmax(1);
  return classes.eq(at::tensor(labels, at::kLong)).sum().item<double>() / double(counted);
}

/// @return false if it was stopped
bool time_network(const TrainedRun& run, const TimedPictures& pictures, const std::function<bool()>& stop,
                  EfficiencyReport& report) {
  const ConvertedModel converted = convert_run(run.folder, int(report.protocol.batch));
  report.info = file_info(converted.model);
  report.rows = network_contestants(run, converted, pictures.rounds.timed.front());
  const auto answers = run_contest(report.rows, pictures.rounds, shown_watch("timing the network", stop));
  if (!answers) return false;
  report.pictures = int64_t(pictures.labels.size());
  report.accuracy = accuracy(*answers, pictures.labels);
  return true;
}

std::vector<at::Tensor> features_of(CifarNet& network, const std::vector<at::Tensor>& batches) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> features;
  for (const at::Tensor& images : batches) features.push_back(network.forward(images).features.contiguous());
  return features;
}

/// Where there is a head: end to end it hides behind the backbone, of whose arithmetic it is a thousandth or less.
/// @return false if it was stopped
bool time_head(const TrainedRun& run, const TimedPictures& pictures, const std::function<bool()>& stop,
               EfficiencyReport& report) {
  const auto network = std::dynamic_pointer_cast<CifarNet>(run.network);
  if (!network) return true;
  const Rounds rounds = {features_of(*network, pictures.rounds.warmup), features_of(*network, pictures.rounds.timed)};
  const ConvertedModel converted =
      convert_head(std::get<ModelConfig>(run.config.model), network->head(), int(report.protocol.batch));
  HeadEfficiency& head = report.head.emplace();
  head.info = file_info(converted.model);
  head.rows = head_contestants(network, converted, rounds.timed.front());
  return run_contest(head.rows, rounds, shown_watch("timing the head", stop)).has_value();
}

}  // namespace

bool analyze_efficiency(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop) {
  EfficiencyReport report;
  report.protocol = protocol_of(run.config.model, command.efficiency);
  const TimedPictures pictures = load_pictures(run, report.protocol, command.seed);
  const bool finished = time_network(run, pictures, stop, report) && time_head(run, pictures, stop, report);
  at::set_num_threads(int(run.config.train.threads));
  if (!finished) return false;
  const std::string path = write_results(run.folder, "efficiency", to_json(report));
  std::printf("%sefficiency written to %s\n", describe(report).c_str(), path.c_str());
  return true;
}

}  // namespace moefb::trainer

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>

#include "trainer/analysis/contestants.h"
#include "trainer/analysis/efficiency.h"
#include "trainer/analysis/efficiency_report.h"
#include "trainer/analysis/results.h"
#include "trainer/models/cifar_net.h"
#include "trainer/models/device.h"

namespace moefb::trainer {
namespace {

double accuracy(const std::vector<at::Tensor>& answers, const std::vector<int64_t>& labels) {
  const at::Tensor logits = at::cat(answers);
  const auto counted = int64_t(labels.size());
  const at::Tensor classes = logits.narrow(0, logits.size(0) - counted, counted).argmax(1);
  return classes.eq(at::tensor(labels, at::kLong)).sum().item<double>() / double(counted);
}

at::Tensor answer_of(Network& network, const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  return network.run(images).logits;
}

std::vector<at::Tensor> features_of(CifarNet& network, const std::vector<at::Tensor>& batches) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> features;
  for (const at::Tensor& images : batches) features.push_back(network.forward(images).features.contiguous());
  return features;
}

Rounds features_of(CifarNet& network, const Rounds& rounds) {
  return {features_of(network, rounds.warmup), features_of(network, rounds.timed), {}};
}

class EfficiencyAnalysis {
 public:
  EfficiencyAnalysis(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop)
      : run_(run),
        command_(command),
        stop_(stop),
        device_(device_of("--device", command.device)),
        classifier_(std::dynamic_pointer_cast<CifarNet>(run.network)) {}

  /// @return false if it was stopped
  bool measure() { return time_here() && (device_.is_cpu() || time_there()); }
  const EfficiencyReport& report() const { return report_; }

 private:
  bool time_here() {
    Protocol protocol = protocol_of(run_.config.model, command_.efficiency, at::kCPU);
    const TimedPictures pictures = load_pictures(run_, protocol, command_.seed);
    return time_network(protocol, pictures) && (!classifier_ || time_head(protocol, pictures.rounds));
  }

  bool time_network(const Protocol& protocol, const TimedPictures& pictures) {
    const ConvertedModel converted = convert_run(run_.folder, int(protocol.batch));
    Efficiency& network = report_.network;
    network.info = file_info(converted.model);
    auto rows = network_contestants(run_, converted, pictures.rounds.timed.front());
    const auto answers = contest(network, "network", protocol, std::move(rows), pictures.rounds);
    if (!answers) return false;
    report_.pictures = int64_t(pictures.labels.size());
    report_.accuracy = accuracy(*answers, pictures.labels);
    return true;
  }

  /// End to end a head hides behind the backbone, of whose arithmetic it is a thousandth or less.
  bool time_head(const Protocol& protocol, const Rounds& pictures) {
    const Rounds rounds = features_of(*classifier_, pictures);
    const ConvertedModel converted =
        convert_head(std::get<ModelConfig>(run_.config.model), classifier_->head(), int(protocol.batch));
    Efficiency& head = report_.head.emplace();
    head.info = file_info(converted.model);
    auto rows = head_contestants(classifier_, converted, rounds.timed.front());
    return contest(head, "head", protocol, std::move(rows), rounds).has_value();
  }

  /// LibTorch on a GPU, which must answer as on the CPU.
  bool time_there() {
    Protocol protocol = protocol_of(run_.config.model, command_.efficiency, device_);
    Rounds pictures = load_pictures(run_, protocol, command_.seed).rounds;
    const Rounds features = classifier_ ? features_of(*classifier_, pictures) : Rounds{};
    pictures.expected = answer_of(*run_.network, pictures.warmup.front());
    const DeviceNetworks there(run_, device_);
    auto rows = there.network_contestants(pictures.timed.front());
    if (!contest(report_.network, "network", protocol, std::move(rows), pictures)) return false;
    if (!classifier_) return true;
    rows = there.head_contestants(classifier_, features.timed.front());
    return contest(*report_.head, "head", protocol, std::move(rows), features).has_value();
  }

  /// @return the first one's answers; nothing if it was stopped
  std::optional<std::vector<at::Tensor>> contest(Efficiency& to, const std::string& what, const Protocol& protocol,
                                                 std::vector<Contestant> rows, const Rounds& rounds) {
    TimedRows& timed = to.timed.emplace_back(TimedRows{protocol, std::move(rows)});
    return run_contest(timed.rows, rounds, shown_watch("timing the " + what, "batch", stop_));
  }

  TrainedRun& run_;
  const AnalyzeCommand& command_;
  const std::function<bool()>& stop_;
  at::Device device_;
  std::shared_ptr<CifarNet> classifier_;  ///< null: the network is none
  EfficiencyReport report_;
};

}  // namespace

bool analyze_efficiency(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop) {
  EfficiencyAnalysis analysis(run, command, stop);
  const bool finished = analysis.measure();
  at::set_num_threads(int(run.config.train.threads));
  if (!finished) return false;
  const std::string path = write_results(run.folder, "efficiency", to_json(analysis.report()));
  std::printf("%sefficiency written to %s\n", describe(analysis.report()).c_str(), path.c_str());
  return true;
}

}  // namespace moefb::trainer

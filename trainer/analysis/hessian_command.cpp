#include <ATen/ATen.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "converter/atomic_file.h"
#include "converter/fnv1a.h"
#include "trainer/analysis/hessian.h"
#include "trainer/analysis/landscape.h"
#include "trainer/analysis/memory_limit.h"
#include "trainer/analysis/results.h"
#include "trainer/analysis/subset_curvature.h"
#include "trainer/models/device.h"
#include "trainer/models/network_place.h"

namespace moefb::trainer {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kPictures = 128;  ///< about a minute for a narrow network on two cores
constexpr double kRandomReach = 1;  ///< of filter-normalised directions, as Li et al. 2018 show them

/// What the results say of how they were made.
ordered_json describe(const AnalyzeCommand& command, const HessianOptions& options, int64_t parameters) {
  ordered_json json = {{"format", 1}, {"routing", options.routing == RouteMode::kFree ? "free" : "frozen"}};
  json["selection"] = options.parameters.empty() ? ordered_json("all") : ordered_json(options.parameters);
  json["parameters"] = parameters;
  json["seed"] = command.seed;
  json["precision"] = options.f64 ? "f64" : "f32";
  return json;
}

std::string fingerprint(const TrainedRun& run, const HessianOptions& o, const std::string& device, int64_t pictures,
                        const ordered_json& said) {
  const ordered_json all = {said,
                            pictures,
                            o.batch_size,
                            device,
                            int(o.method),
                            o.eigenvalues,
                            o.products,
                            int(o.trace),
                            o.trace_products,
                            o.density_vectors,
                            o.reach,
                            o.points,
                            o.directions,
                            o.surface,
                            fnv1a(read_file(run.folder.kept_weights())),
                            run.config.train.threads};
  return all.dump();
}

class HessianAnalysis {
 public:
  HessianAnalysis(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop)
      : run_(run),
        seed_(command.seed),
        pictures_(command.pictures > 0 ? command.pictures : kPictures),
        place_(run.network->module(), command.hessian.f64 ? at::kDouble : at::kFloat,
               device_of("--device", command.device)),
        vector_(run.network->module(), command.hessian.parameters),
        options_(within_memory(command.hessian, vector_)),
        results_(describe(command, options_, vector_.size())),
        session_(analysis_folder(run.folder) + "/hessian.partial.safetensors",
                 fingerprint(run, options_, command.device, pictures_, results_), stop) {
    if (session_.resumed()) std::printf("going on where the last analysis with the same settings was stopped\n");
  }

  void measure() {
    add_random_directions();
    measure_subset("train", run_.dataset.train);
    measure_subset("test", run_.dataset.test);
  }

  void write() {
    const std::string path = write_results(run_.folder, "hessian", results_);
    session_.finish();
    std::printf("curvature written to %s\n", path.c_str());
  }

 private:
  void add_random_directions() {
    for (int64_t i = 0; i < options_.directions; ++i) {
      directions_.push_back(
          {"random " + std::to_string(i + 1), filter_normalised_direction(vector_, seed_, i), kRandomReach});
    }
  }

  /// As published, the directions are the training pictures' own; the test pictures' loss is measured along the same.
  void add_eigenvectors(const at::Tensor& vectors) {
    for (int64_t i = std::min<int64_t>(2, vectors.size(0)) - 1; i >= 0; --i) {
      directions_.insert(directions_.begin(), {"eigenvector " + std::to_string(i + 1), vectors[i], options_.reach});
    }
  }

  void measure_subset(const std::string& name, const PictureSet& set) {
    const SampleLoss loss(*run_.network,
                          draw_sample(run_.dataset, set, pictures_, seed_, options_.batch_size, vector_.options()),
                          options_.routing);
    SubsetCurvature subset(name, loss, vector_, options_, seed_, session_);
    const at::Tensor vectors = subset.measure_spectrum();
    const bool first = results_["subsets"].empty();
    if (first) add_eigenvectors(vectors);
    subset.measure_curves(directions_);
    if (first && options_.surface > 0 && directions_.size() > 1) subset.measure_surface(directions_[0], directions_[1]);
    results_["subsets"][name] = subset.results();
  }

  TrainedRun& run_;
  uint64_t seed_;
  int64_t pictures_;
  NetworkPlace place_;
  ParameterVector vector_;
  HessianOptions options_;
  ordered_json results_;
  Session session_;
  std::vector<Direction> directions_;
};

}  // namespace

bool analyze_hessian(TrainedRun& run, const AnalyzeCommand& command, const std::function<bool()>& stop) try {
  HessianAnalysis analysis(run, command, stop);
  analysis.measure();
  analysis.write();
  return true;
} catch (const Stopped&) {
  std::printf("stopped; what is done so far is saved. The same command goes on\n");
  return false;
}

}  // namespace moefb::trainer

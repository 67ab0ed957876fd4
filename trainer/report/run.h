// What the files of one run folder say, checked and typed. Numbers that a file does not give, or gives as null, are
// NaN.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/matrix.h"

namespace moefb::report {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

enum class Family : uint8_t { kHeads, kPatches };  ///< of the two published systems; their dense comparisons included

/// What a run trains, from its config.json.
struct Setup {
  Family family = Family::kHeads;
  std::string kind;  ///< cifar_e2e, patch_net or resnet18
  std::string head;  ///< dense, soft, sparse, hard (sparse with k = 1); "" for patch_net and resnet18
  int64_t classes = 0;
  int64_t image = 0;    ///< side of the pictures
  int64_t width = 0;    ///< channels of the backbone's first stage
  int64_t experts = 0;  ///< 0 where there is no router
  int64_t k = 0;        ///< experts a token; 0 where there is no router
  std::string data;     ///< name of the data set; of class folders the folder's own name
  int64_t epochs = 0;   ///< planned
  int64_t seed = 0;
  std::vector<std::string> class_names;  ///< may be empty
  /// Every value of config.json by its keys, "train.seed" say, as text.
  std::map<std::string, std::string> settings;

  bool routed() const { return experts > 0; }
};

struct RouterLayer {
  int64_t layer = 0;                     ///< published index
  std::vector<double> usage;             ///< (E) tokens kept
  std::map<std::string, double> values;  ///< drop_rate, entropy_norm, ... (spec/patch-moe.md, section 10)
};

/// The router metrics of a patch network over one pass.
struct RouterRecord {
  std::map<std::string, double> values;  ///< pooled, under their published names
  std::vector<RouterLayer> layers;
};

struct Epoch {
  int64_t epoch = 0;  ///< from 1
  double train_loss = kUnknown;
  double train_acc = kUnknown;
  double val_loss = kUnknown;
  double val_acc = kUnknown;
  double images_per_s = kUnknown;
  double data_wait = kUnknown;    ///< share of the time
  double seconds = kUnknown;      ///< on the clock
  double cpu_seconds = kUnknown;  ///< of all threads
  double peak_rss_mib = kUnknown;
  double entropy = kUnknown;  ///< nats; this and the next two of the validation where it is known, else of training
  std::vector<double> utilisation;
  std::vector<double> load;
  RouterRecord router;  ///< of the validation; patch networks
};

struct TestResult {
  double loss = kUnknown;
  double accuracy = kUnknown;
  int64_t epoch = 0;  ///< whose weights were tested
  double entropy = kUnknown;
  std::vector<double> utilisation;
  std::vector<double> load;
  Matrix class_expert;  ///< (C, E)
  RouterRecord router;
};

// ---- RUN/analysis/hessian.json ----

struct Trace {
  double mean = kUnknown;
  double standard_error = kUnknown;
  int64_t samples = 0;
};

struct LossCurve {
  std::string direction;
  std::vector<double> alphas, losses, accuracies;  ///< accuracies may be empty
};

struct LossSurface {
  std::string x, y;  ///< names of the directions
  std::vector<double> alphas, betas;
  Matrix losses;  ///< (betas, alphas)
};

struct Density {
  std::vector<double> lambda, density;
  double sigma = kUnknown;
};

struct Curvature {  ///< on one subset of the pictures
  int64_t pictures = 0;
  double loss = kUnknown;
  double accuracy = kUnknown;
  std::vector<double> eigenvalues;  ///< largest magnitude first
  std::string method;
  std::map<std::string, Trace> traces;  ///< by estimator
  Density density;                      ///< empty where it was not measured
  std::vector<LossCurve> curves;
  std::vector<LossSurface> surfaces;
};

struct Hessian {
  std::string routing;    ///< free or frozen
  std::string selection;  ///< all, or the parameters' prefixes
  int64_t parameters = 0;
  std::map<std::string, Curvature> subsets;  ///< train, test
};

// ---- RUN/analysis/routing.json ----

struct Specialisation {
  double bits = kUnknown;  ///< of the class that the expert tells
  double at_most = kUnknown;
  double chance_mean = kUnknown;
  double chance_p95 = kUnknown;
  double p_value = kUnknown;
};

struct LayerRouting {
  int64_t layer = 0;  ///< published index; -1: the head
  int64_t experts = 0;
  std::vector<double> utilisation, load;
  double entropy = kUnknown;  ///< nats
  Matrix class_expert;        ///< (C, E), rows sum to 1
  std::optional<Specialisation> specialisation;
  Matrix coactivation;     ///< (E, E), may be empty
  Matrix position_expert;  ///< (grid_rows * grid_columns, E), may be empty
  int64_t grid_rows = 0, grid_columns = 0;
  std::map<std::string, double> router;
};

struct Transition {
  int64_t from = 0, to = 0;  ///< layers
  Matrix share;              ///< (E_from, E_to)
};

struct LayerStability {
  int64_t layer = 0;
  double same = kUnknown;  ///< share of the tokens
};

struct Stability {
  int64_t from_epoch = 0, to_epoch = 0;
  std::vector<LayerStability> layers;
};

struct ExampleSheet {
  int64_t layer = 0, expert = 0;
  std::string file;  ///< path, openable from here
};

struct RoutingStudy {
  int64_t pictures = 0;
  std::vector<std::string> class_names;
  std::vector<LayerRouting> layers;
  std::vector<Transition> transitions;
  std::vector<Stability> stability;
  std::vector<ExampleSheet> examples;
};

// ---- RUN/analysis/efficiency.json ----

struct Timing {
  std::string engine, dispatch, kernels, device;
  int64_t threads = 0, batch = 0;
  double mean_ms = kUnknown, std_ms = kUnknown, median_ms = kUnknown, images_per_s = kUnknown, peak_mib = kUnknown;
};

struct Efficiency {
  std::string cpu, instruction_set, gpu, libtorch;
  int64_t cores = 0;
  std::string protocol;
  double parameters = kUnknown, active_parameters = kUnknown, multiply_adds = kUnknown, f32_mib = kUnknown;
  std::vector<Timing> rows;

  /// "AMD EPYC, 2 cores, AVX-512"; where a GPU was timed too, "; NVIDIA H200" behind it
  std::string machine() const;
};

struct Run {
  std::string path;
  std::string name;  ///< the end of the path, as long as it takes to tell the runs of a report apart
  Setup setup;
  std::vector<Epoch> epochs;  ///< ascending; empty for imported runs
  std::optional<TestResult> test;
  std::optional<int64_t> parameters;  ///< trained ones
  std::optional<Hessian> hessian;
  std::optional<RoutingStudy> routing;
  std::optional<Efficiency> efficiency;
};

}  // namespace moefb::report

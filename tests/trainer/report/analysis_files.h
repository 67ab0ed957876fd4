// What `trainer analyze` leaves in a run folder, small and made up.
#pragma once

#include "trainer/report/run_folders.h"

namespace moefb::report {

inline Json curvature_json(double scale) {
  const std::vector<double> steps = {-0.5, 0, 0.5};
  Json json = {{"pictures", 100},
               {"loss", 0.3},
               {"accuracy", 0.9},
               {"eigenvalues", {20 * scale, -8 * scale, 3 * scale}},
               {"method", "lanczos"}};
  json["trace"] = {{"hutchinson", {{"mean", 90 * scale}, {"standard_error", 4 * scale}, {"samples", 50}}}};
  json["density"] = {{"lambda", {-1.0, 0.0, 20 * scale}}, {"density", {0.01, 1.0, 1e-9}}, {"sigma", 0.1}};
  json["curves"] = Json::array({{{"direction", "eigenvector 1"},
                                 {"alphas", steps},
                                 {"losses", {2.0, 0.3, nullptr}},
                                 {"accuracies", {0.5, 0.9, 0.4}}}});
  json["surfaces"] = Json::array({{{"x", "eigenvector 1"},
                                   {"y", "eigenvector 2"},
                                   {"alphas", steps},
                                   {"betas", steps},
                                   {"losses", {{3.0, 1.0, 3.0}, {2.0, 0.3, 2.0}, {3.0, 1.0, nullptr}}}}});
  return json;
}

inline Json hessian_json() {
  return {{"format", 1},
          {"routing", "free"},
          {"selection", "all"},
          {"parameters", 1234},
          {"seed", 42},
          {"precision", "f32"},
          {"subsets", {{"train", curvature_json(1)}, {"test", curvature_json(9)}}}};
}

inline Json head_routing_json() {
  Json layer = {
      {"layer", -1},           {"experts", 3},  {"tokens", 100}, {"dropped", 0}, {"utilisation", {0.5, 0.3, 0.2}},
      {"load", {1, 0.6, 0.4}}, {"entropy", 0.9}};
  layer["class_expert"] = {{0.6, 0.3, 0.1}, {0.1, 0.2, 0.7}};
  layer["specialisation"] = {{"mutual_information_bits", 0.4},
                             {"of_at_most", 1.0},
                             {"chance_mean", 0.01},
                             {"chance_p95", 0.02},
                             {"p_value", 0.001}};
  layer["coactivation"] = {{0.9, 0.4, 0.1}, {0.4, 0.6, 0.2}, {0.1, 0.2, 0.3}};
  Json stability =
      Json::array({{{"from_epoch", 1}, {"to_epoch", 2}, {"layers", Json::array({{{"layer", -1}, {"same", 0.8}}})}}});
  return {{"format", 1},
          {"kind", "cifar_e2e"},
          {"pictures", 100},
          {"class_names", {"cat", "<b>&\"dog\"'"}},
          {"layers", Json::array({layer})},
          {"transitions", Json::array()},
          {"stability", stability},
          {"examples", Json::array({{{"layer", -1}, {"expert", 1}, {"file", "examples/e1.png"}, {"pictures", 4}}})}};
}

inline Json patch_routing_json() {
  Json layers = Json::array();
  for (const int index : {0, 1}) {
    Json layer = {{"layer", index}, {"experts", 2}, {"tokens", 400}, {"dropped", 8}, {"entropy", 0.5}};
    layer["class_expert"] = {{0.6, 0.4}, {0.3, 0.7}};
    layer["position_expert"] = {{1.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {0.0, 1.0}};
    layer["grid"] = {3, 2};
    layers.push_back(layer);
  }
  Json transitions = Json::array({{{"from", 0}, {"to", 1}, {"share", {{0.9, 0.1}, {0.2, 0.8}}}}});
  return {{"format", 1},      {"kind", "patch_net"},       {"pictures", 50}, {"class_names", {"rose", "tulip"}},
          {"layers", layers}, {"transitions", transitions}};
}

inline Json efficiency_json() {
  Json rows = Json::array();
  for (const auto& [engine, ms] : {std::pair{"libtorch", 20.0}, {"runtime", 10.0}}) {
    rows.push_back({{"engine", engine},
                    {"dispatch", "grouped"},
                    {"kernels", "auto"},
                    {"device", "cpu"},
                    {"threads", 1},
                    {"batch", 32},
                    {"mean_ms", ms},
                    {"std_ms", 0.5},
                    {"median_ms", ms},
                    {"images_per_s", 32000 / ms},
                    {"peak_mib", nullptr}});
  }
  return {{"format", 1},
          {"machine",
           {{"cpu", "Some CPU"}, {"cores", 2}, {"instruction_set", "AVX2"}, {"gpu", nullptr}, {"libtorch", "2.13.0"}}},
          {"protocol", "cifar-heads 12.4"},
          {"parameters", 1234},
          {"active_parameters", 1000},
          {"multiply_adds", 5e6},
          {"f32_mib", 0.01},
          {"rows", rows}};
}

inline void write_analysis(const std::string& run, const std::string& name, const Json& json) {
  write_text(run + "/analysis/" + name, json.dump());
}

}  // namespace moefb::report

// What can be asked of the curvature analysis. No LibTorch header is needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moefb::trainer {

enum class RouteMode : uint8_t {
  kFree,    ///< routers take part: their choices jump, but the mixture weights have slopes
  kFrozen,  ///< routes and mixture weights are held at those of the trained weights
};

enum class EigenMethod : uint8_t {
  kLanczos,
  kPower,  ///< as published
};

enum class TraceMethod : uint8_t {
  kBoth,
  kHutchinson,
  kHutchPlusPlus,
  kPublished,  ///< Hutchinson with the published rule to stop
  kNone,
};

struct HessianOptions {
  std::vector<std::string> parameters;  ///< prefixes of parameter names; empty: all parameters
  RouteMode routing = RouteMode::kFree;
  int64_t batch_size = 128;   ///< published
  bool f64 = false;           ///< arithmetic of network and vectors
  int64_t memory_mib = 4096;  ///< for vectors: fewer products are taken where more would not fit

  EigenMethod method = EigenMethod::kLanczos;
  int64_t eigenvalues = 5;  ///< published
  int64_t products = 40;    ///< of Lanczos

  TraceMethod trace = TraceMethod::kBoth;
  int64_t trace_products = 30;  ///< of each method; published: at most 100

  int64_t density_vectors = 1;  ///< start vectors; 0: no density

  double reach = 0.5;      ///< of the curves along eigenvectors; published
  int64_t points = 21;     ///< of a curve; published
  int64_t directions = 1;  ///< random ones
  int64_t surface = 11;    ///< points of a side; 0: no surface
};

}  // namespace moefb::trainer

#include "trainer/analysis/memory_limit.h"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace moefb::trainer {
namespace {

constexpr int64_t kMib = 1 << 20;
constexpr int64_t kSpare = 6;  ///< vectors beside a method's own: product, gradient, weights moved away, and so on
constexpr int64_t kFewestTraceProducts = 3;

/// Lanczos with fewer products than this finds nothing worth reporting.
int64_t fewest_products(int64_t eigenvalues) {
  return 2 * eigenvalues + 2;
}

std::string mib(int64_t vectors, int64_t bytes) {
  return std::to_string((vectors * bytes + kMib - 1) / kMib) + " MiB";
}

/// Lowers `products` to `possible`, aloud.
void lower(int64_t& products, int64_t possible, const char* method) {
  if (products <= possible) return;
  std::printf("%s: %ld products instead of %ld, whose vectors would not fit into --memory-mib\n", method,
              long(possible), long(products));
  products = possible;
}

}  // namespace

HessianOptions within_memory(HessianOptions options, const ParameterVector& vector) {
  const int64_t bytes = vector.size() * int64_t(vector.options().dtype().itemsize());
  const int64_t kept = 2 * options.eigenvalues + kSpare;  // the eigenvectors of both picture sets' methods
  const int64_t room = options.memory_mib * kMib / bytes - kept;
  const int64_t needed = std::min(fewest_products(options.eigenvalues), vector.size());
  if (room < needed) {
    throw std::runtime_error("--memory-mib " + std::to_string(options.memory_mib) + ": expected at least " +
                             mib(needed + kept, bytes) + " for " + std::to_string(needed + kept) + " vectors of " +
                             std::to_string(vector.size()) +
                             " parameters; fewer --eigenvalues or --parameters PREFIX "
                             "need less");
  }
  if (options.method == EigenMethod::kLanczos || options.density_vectors > 0) lower(options.products, room, "Lanczos");
  // A third of the products leaves a vector each, which is held three times while they are made orthogonal.
  const bool sketches = options.trace == TraceMethod::kBoth || options.trace == TraceMethod::kHutchPlusPlus;
  if (sketches) lower(options.trace_products, std::max(room, kFewestTraceProducts), "Hutch++");
  return options;
}

}  // namespace moefb::trainer

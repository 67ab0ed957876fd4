// Formulas of docs/spec/patch-moe.md, section 10. What a batch adds is summed at once; ratios are taken when asked for.
#include "moefb/metrics.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

namespace moefb {
namespace {

constexpr int kBins = 64;         // of the combine weights, on [0, 1]
constexpr double kLeast = 1e-12;  // that a share of the usage counts as
constexpr double kAlive = 1e-6;   // share from which on an expert is active
constexpr double kKeep = 0.9;     // of a running mean
constexpr size_t kLayerSums = 7;  // scalars of a layer, before its 2 E sums
constexpr int kMaxExperts = 1 << 16;

Status invalid(const char* text) noexcept {
  return Status(Code::kInvalidArgument, text);
}

int64_t tokens_of(const RoutedBatch& batch) noexcept {
  return int64_t(batch.assigned_expert.size());
}

Status check(const RoutedBatch& batch, int experts) noexcept {
  const int64_t tokens = tokens_of(batch), scores = int64_t(batch.scaled_logits.size());
  const int64_t weights = int64_t(batch.combine_weight.size());
  if (tokens < 1) return invalid("router metrics: a batch without tokens");
  if (weights != tokens)
    return invalid("router metrics: combine weights do not fit the tokens").values(weights, tokens);
  if (scores != tokens * experts)
    return invalid("router metrics: logits do not fit tokens and experts").values(scores, tokens * experts);
  if (batch.capacity < 1) return invalid("router metrics: capacity is below 1").values(batch.capacity, 1);
  for (int64_t n = 0; n < tokens; ++n) {
    const int64_t expert = batch.assigned_expert[size_t(n)];
    if (expert < -1 || expert >= experts)
      return invalid("router metrics: no such expert").at(n).values(expert, experts - 1);
  }
  return {};
}

/// Entropy of softmax(logits) over ln E, as published with its 1e-9 inside the logarithm.
double token_entropy(std::span<const float> logits) noexcept {
  const double highest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float l : logits) sum += std::exp(double(l) - highest);
  double entropy = 0;
  for (const float l : logits) {
    const double p = std::exp(double(l) - highest) / sum;
    entropy -= p * std::log(p + 1e-9);
  }
  return entropy / std::log(double(logits.size()));
}

double mean_token_entropy(std::span<const float> logits, int experts) noexcept {
  if (experts == 1) return 0;  // the published ln 1 would divide by zero
  double sum = 0;
  for (size_t at = 0; at < logits.size(); at += size_t(experts)) {
    sum += token_entropy(logits.subspan(at, size_t(experts)));
  }
  return sum / double(logits.size() / size_t(experts));
}

double standard_deviation(std::span<const float> values) noexcept {
  if (values.size() < 2) return 0;
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
  double squares = 0;
  for (const float v : values) squares += (double(v) - mean) * (double(v) - mean);
  return std::sqrt(squares / double(values.size() - 1));
}

/// (first edge >= weight) - 1, clamped: edges are k / 64, so that a kept token's 1 falls into the last bin.
size_t bin_of(float weight) noexcept {
  return size_t(std::clamp(std::ceil(double(weight) * kBins) - 1, 0.0, double(kBins - 1)));
}

/// The usage as shares: none below kLeast, together 1.
struct Shares {
  explicit Shares(std::span<const double> usage) noexcept : usage_(usage) {
    for (const double u : usage) total_ += u;
    for (const double u : usage) clamped_ += std::max(u / total_, kLeast);
  }
  double operator[](size_t e) const noexcept { return std::max(usage_[e] / total_, kLeast) / clamped_; }
  size_t size() const noexcept { return usage_.size(); }

 private:
  std::span<const double> usage_;
  double total_ = 0;
  double clamped_ = 0;
};

double entropy_norm(const Shares& q) noexcept {
  if (q.size() == 1) return 0;
  double entropy = 0;
  for (size_t e = 0; e < q.size(); ++e) entropy -= q[e] * std::log(q[e]);
  return entropy / std::log(double(q.size()));
}

double coefficient_of_variation(const Shares& q) noexcept {
  const double mean = 1.0 / double(q.size());
  double squares = 0;
  for (size_t e = 0; e < q.size(); ++e) squares += (q[e] - mean) * (q[e] - mean);
  return std::sqrt(squares / double(q.size())) / mean;
}

/// sum_i (2i - E - 1) q_(i) / E over ascending q equals the sum of |q_a - q_b| over pairs a < b, over E: no sorting, so
/// no memory.
double gini(const Shares& q) noexcept {
  double sum = 0;
  for (size_t a = 0; a < q.size(); ++a) {
    for (size_t b = 0; b < a; ++b) sum += std::fabs(q[a] - q[b]);
  }
  return sum / double(q.size());
}

void describe_usage(const Shares& q, LayerMetrics& m) noexcept {
  m.entropy_norm = entropy_norm(q);
  m.cov_usage = coefficient_of_variation(q);
  m.gini = gini(q);
  double least = q[0], most = q[0];
  for (size_t e = 0; e < q.size(); ++e) {
    least = std::min(least, q[e]);
    most = std::max(most, q[e]);
    (q[e] < kAlive ? m.dead : m.active) += 1;
  }
  m.imbalance = (most + 1e-6) / (least + 1e-6);
}

/// What is averaged over the layers; the rest is pooled.
constexpr double LayerMetrics::*kAveraged[] = {&LayerMetrics::entropy_norm,
                                               &LayerMetrics::cov_usage,
                                               &LayerMetrics::gini,
                                               &LayerMetrics::imbalance,
                                               &LayerMetrics::mean_capacity_ratio,
                                               &LayerMetrics::avg_gate,
                                               &LayerMetrics::dead,
                                               &LayerMetrics::active,
                                               &LayerMetrics::spec_entropy,
                                               &LayerMetrics::spec_entropy_ema,
                                               &LayerMetrics::logits_std,
                                               &LayerMetrics::logits_std_ema};

double ratio(double part, double whole) noexcept {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

/// Where one layer's sums lie.
struct RouterMetrics::Layer {
  Layer(double* at, int count) noexcept
      : tokens(at[0]),
        capacity(at[1]),
        batches(at[2]),
        spec_entropy(at[3]),
        spec_entropy_ema(at[4]),
        logits_std(at[5]),
        logits_std_ema(at[6]),
        usage(at + kLayerSums, size_t(count)),
        gates(at + kLayerSums + count, size_t(count)) {}

  double kept() const noexcept { return std::accumulate(usage.begin(), usage.end(), 0.0); }

  double& tokens;
  double& capacity;
  double& batches;
  double& spec_entropy;
  double& spec_entropy_ema;
  double& logits_std;
  double& logits_std_ema;
  std::span<double> usage;  ///< (E) kept tokens
  std::span<double> gates;  ///< (E) their combine weights
};

Result<RouterMetrics> RouterMetrics::create(std::span<const int> experts) noexcept {
  RouterMetrics metrics;
  metrics.layers_ = int(experts.size());
  metrics.sum_count_ = kBins;
  for (size_t i = 0; i < experts.size(); ++i) {
    if (experts[i] < 1 || experts[i] > kMaxExperts) {
      return invalid("router metrics: a layer's number of experts").at(int64_t(i)).values(experts[i], 1);
    }
    metrics.sum_count_ += kLayerSums + 2 * size_t(experts[i]);
  }
  metrics.experts_.reset(new (std::nothrow) int[experts.size()]);
  metrics.sums_.reset(new (std::nothrow) double[metrics.sum_count_]);
  if (!metrics.experts_ || !metrics.sums_) return Status(Code::kOutOfMemory, "no memory for router metrics");
  std::copy(experts.begin(), experts.end(), metrics.experts_.get());
  metrics.reset();
  return Result<RouterMetrics>(std::move(metrics));
}

RouterMetrics::Layer RouterMetrics::at(int index) const noexcept {
  size_t offset = kBins;
  for (int i = 0; i < index; ++i) offset += kLayerSums + 2 * size_t(experts_[size_t(i)]);
  return Layer(sums_.get() + offset, experts_[size_t(index)]);
}

Status RouterMetrics::add(int layer, const RoutedBatch& batch) noexcept {
  if (layer < 0 || layer >= layers_) return invalid("router metrics: no such layer").values(layer, layers_ - 1);
  const int experts = experts_[size_t(layer)];
  MOEFB_TRY(check(batch, experts));
  Layer sums = at(layer);
  for (size_t n = 0; n < batch.assigned_expert.size(); ++n) {
    const int64_t expert = batch.assigned_expert[n];
    const float weight = expert < 0 ? 0 : batch.combine_weight[n];
    sums_[bin_of(weight)] += 1;
    if (expert < 0) continue;
    sums.usage[size_t(expert)] += 1;
    sums.gates[size_t(expert)] += double(weight);
  }
  const double entropy = mean_token_entropy(batch.scaled_logits, experts);
  const double deviation = batch.logits_std ? *batch.logits_std : standard_deviation(batch.scaled_logits);
  sums.tokens += double(tokens_of(batch));
  sums.capacity += double(batch.capacity);
  sums.batches += 1;
  sums.spec_entropy += entropy;
  sums.spec_entropy_ema = kKeep * sums.spec_entropy_ema + (1 - kKeep) * entropy;
  sums.logits_std += deviation;
  sums.logits_std_ema = kKeep * sums.logits_std_ema + (1 - kKeep) * deviation;
  return {};
}

LayerMetrics RouterMetrics::layer(int index) const noexcept {
  const Layer sums = at(index);
  const double experts = double(sums.usage.size()), kept = sums.kept();
  LayerMetrics m;
  m.usage = sums.usage;
  m.tokens = sums.tokens;
  m.dropped = sums.tokens - kept;
  m.capacity = sums.capacity;
  m.drop_rate = ratio(m.dropped, m.tokens);
  m.capacity_efficiency = m.mean_capacity_ratio = ratio(kept, experts * sums.capacity);
  m.spec_entropy = ratio(sums.spec_entropy, sums.batches);
  m.spec_entropy_ema = sums.spec_entropy_ema;
  m.logits_std = ratio(sums.logits_std, sums.batches);
  m.logits_std_ema = sums.logits_std_ema;
  if (kept == 0) {
    m.dead = experts;
    return m;
  }
  describe_usage(Shares(sums.usage), m);
  for (size_t e = 0; e < sums.usage.size(); ++e) m.avg_gate += sums.gates[e] / std::max(sums.usage[e], 1.0) / experts;
  return m;
}

double RouterMetrics::quantile(double fraction) const noexcept {
  const double total = std::accumulate(sums_.get(), sums_.get() + kBins, 0.0);
  double count = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    count += sums_[size_t(bin)];
    if (count >= fraction * total) return double(bin) / kBins;
  }
  return double(kBins - 1) / kBins;  // rounding of fraction * total alone
}

RouterSummary RouterMetrics::summary(ImbalanceNames names) const noexcept {
  LayerMetrics mean;  // over the layers; but its counts are sums
  double slots = 0, least = layers_ == 0 ? 0 : INFINITY, most = 0;
  for (int i = 0; i < layers_; ++i) {
    const LayerMetrics m = layer(i);
    for (const auto field : kAveraged) mean.*field += m.*field / layers_;
    mean.tokens += m.tokens;
    mean.dropped += m.dropped;
    slots += double(m.usage.size()) * m.capacity;
    least = std::min(least, m.imbalance);
    most = std::max(most, m.imbalance);
  }
  const bool swapped = names == ImbalanceNames::kPublished;
  return {{{"drop_rate", ratio(mean.dropped, mean.tokens)},
           {"capacity_efficiency", ratio(mean.tokens - mean.dropped, slots)},
           {"entropy_norm_mean", mean.entropy_norm},
           {"cov_usage_mean", mean.cov_usage},
           {"gini_mean", mean.gini},
           {"imbalance_mean", mean.imbalance},
           {"imbalance_max", swapped ? least : most},
           {"imbalance_min", swapped ? most : least},
           {"mean_capacity_ratio_mean", mean.mean_capacity_ratio},
           {"avg_gate_mean", mean.avg_gate},
           {"dead_mean", mean.dead},
           {"active_mean", mean.active},
           {"spec_entropy_mean", mean.spec_entropy},
           {"spec_entropy_ema_mean", mean.spec_entropy_ema},
           {"logits_std_ema_mean", mean.logits_std_ema},
           {"logits_std_mean", mean.logits_std},
           {"gate_p10", quantile(0.1)},
           {"gate_p50", quantile(0.5)},
           {"gate_p90", quantile(0.9)}}};
}

Status RouterMetrics::set_sums(std::span<const double> sums) noexcept {
  if (sums.size() != sum_count_) {
    return invalid("router metrics: saved sums do not fit").values(int64_t(sums.size()), int64_t(sum_count_));
  }
  std::copy(sums.begin(), sums.end(), sums_.get());
  return {};
}

void RouterMetrics::reset() noexcept {
  std::fill_n(sums_.get(), sum_count_, 0.0);
}

}  // namespace moefb

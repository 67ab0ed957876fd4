#include "trainer/analysis/routing_tables.h"

#include <algorithm>

namespace moefb::trainer {
namespace {

/// The token of a grid of `from` that covers the centre of token `place` of a grid of `to`.
int64_t covering(const LayerChoices& from, const LayerChoices& to, int64_t place) {
  const int64_t row = (2 * (place / to.columns) + 1) * from.rows / (2 * to.rows);
  const int64_t column = (2 * (place % to.columns) + 1) * from.columns / (2 * to.columns);
  return row * from.columns + column;
}

}  // namespace

CountTable picture_table(const LayerChoices& layer) {
  CountTable table(layer.pictures(), layer.experts);
  for (int64_t t = 0; t < layer.tokens(); ++t) ++table.at(t / layer.tokens_per_picture(), layer.first[size_t(t)]);
  return table;
}

CountTable class_table(const CountTable& pictures, std::span<const int64_t> labels, int64_t classes) {
  CountTable table(classes, pictures.columns);
  for (int64_t i = 0; i < pictures.rows; ++i) {
    for (int64_t e = 0; e < pictures.columns; ++e) table.at(labels[size_t(i)], e) += pictures.at(i, e);
  }
  return table;
}

CountTable position_table(const LayerChoices& layer) {
  CountTable table(layer.tokens_per_picture(), layer.experts);
  for (int64_t t = 0; t < layer.tokens(); ++t) ++table.at(t % layer.tokens_per_picture(), layer.first[size_t(t)]);
  return table;
}

CountTable transition_table(const LayerChoices& from, const LayerChoices& to) {
  CountTable table(from.experts, to.experts);
  for (int64_t t = 0; t < to.tokens(); ++t) {
    const int64_t picture = t / to.tokens_per_picture();
    const int64_t place = covering(from, to, t % to.tokens_per_picture());
    ++table.at(from.first[size_t(picture * from.tokens_per_picture() + place)], to.first[size_t(t)]);
  }
  return table;
}

Rows coactivation(const LayerChoices& layer) {
  if (layer.chosen.empty()) return {};
  Rows shares(size_t(layer.experts), std::vector<double>(size_t(layer.experts)));
  const auto k = size_t(layer.top_k);
  for (size_t token = 0; token < layer.first.size(); ++token) {
    const std::span<const int32_t> experts(layer.chosen.data() + token * k, k);
    for (const int32_t a : experts) {
      for (const int32_t b : experts) shares[size_t(a)][size_t(b)] += 1;
    }
  }
  for (auto& row : shares) {
    for (double& share : row) share /= double(layer.first.size());
  }
  return shares;
}

double same_share(const LayerChoices& before, const LayerChoices& after) {
  int64_t same = 0;
  for (size_t t = 0; t < before.first.size(); ++t) same += before.first[t] == after.first[t];
  return double(same) / double(std::max<size_t>(1, before.first.size()));
}

std::vector<int64_t> surest_tokens(const LayerChoices& layer, int64_t expert, int64_t limit) {
  const int64_t per_picture = layer.tokens_per_picture();
  std::vector<int64_t> best;  // of each picture that has one
  for (int64_t t = 0; t < layer.tokens(); ++t) {
    if (layer.first[size_t(t)] != expert) continue;
    if (best.empty() || best.back() / per_picture != t / per_picture) {
      best.push_back(t);
    } else if (layer.sureness[size_t(t)] > layer.sureness[size_t(best.back())]) {
      best.back() = t;
    }
  }
  std::ranges::stable_sort(best,
                           [&](int64_t a, int64_t b) { return layer.sureness[size_t(a)] > layer.sureness[size_t(b)]; });
  if (int64_t(best.size()) > limit) best.resize(size_t(limit));
  return best;
}

}  // namespace moefb::trainer

#include "trainer/data/split.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace moefb::trainer {
namespace {

struct Place {
  double rank;  ///< of the picture in its class, from 0 to 1
  int64_t label;
  int64_t index;
};

std::vector<std::vector<int64_t>> by_class(std::span<const int64_t> labels, int64_t classes) {
  std::vector<std::vector<int64_t>> indices(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) indices[size_t(labels[i])].push_back(int64_t(i));
  return indices;
}

void shuffle(std::vector<int64_t>& indices, Random& random) {
  for (size_t i = indices.size(); i > 1; --i) std::swap(indices[i - 1], indices[random.below(uint32_t(i))]);
}

}  // namespace

std::vector<int64_t> balanced_order(std::span<const int64_t> labels, int64_t classes, Random random) {
  std::vector<Place> places;
  std::vector<std::vector<int64_t>> indices = by_class(labels, classes);
  for (size_t label = 0; label < indices.size(); ++label) {
    shuffle(indices[label], random);
    for (size_t i = 0; i < indices[label].size(); ++i) {
      const double rank = (double(i) + 0.5) / double(indices[label].size());
      places.push_back({rank, int64_t(label), indices[label][i]});
    }
  }
  std::ranges::sort(places, {}, [](const Place& place) { return std::tuple(place.rank, place.label); });
  std::vector<int64_t> order;
  for (const Place& place : places) order.push_back(place.index);
  return order;
}

int64_t size_within(const std::string& data_set, const char* key, int64_t asked, int64_t available) {
  if (asked > available) {
    throw std::runtime_error("data set " + data_set + ": expected " + key + " of at most " + std::to_string(available) +
                             ", found " + std::to_string(asked));
  }
  return asked == 0 ? available : asked;
}

}  // namespace moefb::trainer

#include "trainer/analysis/count_table.h"

#include <algorithm>
#include <numeric>

namespace moefb::trainer {

Rows row_shares(const CountTable& table) {
  Rows shares;
  for (int64_t row = 0; row < table.rows; ++row) {
    const auto first = table.counts.begin() + row * table.columns;
    const int64_t sum = std::max<int64_t>(1, std::accumulate(first, first + table.columns, int64_t{0}));
    std::vector<double> share;
    for (int64_t column = 0; column < table.columns; ++column) share.push_back(double(first[column]) / double(sum));
    shares.push_back(std::move(share));
  }
  return shares;
}

}  // namespace moefb::trainer

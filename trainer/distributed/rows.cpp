#include "trainer/distributed/rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

namespace moefb::trainer {

BatchRows::BatchRows(const Group& group, std::vector<int64_t> counts) : group_(&group), counts_(std::move(counts)) {
  first_ = std::accumulate(counts_.begin(), counts_.begin() + group.rank(), int64_t{0});
  total_ = std::accumulate(counts_.begin(), counts_.end(), int64_t{0});
}

std::vector<at::Tensor> BatchRows::gather_each(const at::Tensor& rows) const {
  if (group_->size() == 1) return {rows};
  // c10d gathers equal shapes: the others are filled up.
  const int64_t most = *std::max_element(counts_.begin(), counts_.end());
  std::vector<int64_t> shape = rows.sizes().vec();
  shape[0] = most - count();
  std::vector<at::Tensor> parts = group_->gather(at::cat({rows.detach(), at::zeros(shape, rows.options())}));
  for (size_t rank = 0; rank < parts.size(); ++rank) parts[rank] = parts[rank].narrow(0, 0, counts_[rank]);
  return parts;
}

at::Tensor BatchRows::gather(const at::Tensor& rows) const {
  return group_->size() == 1 ? rows : at::cat(gather_each(rows));
}

at::Tensor BatchRows::mean(const at::Tensor& rows) const {
  if (group_->size() == 1) return rows.mean(0);
  return group_->sum(rows.sum(0)) / double(total_);
}

std::vector<BatchRows> rows_of(const Group& group, const std::vector<int64_t>& counts) {
  const std::vector<at::Tensor> all = group.gather(at::tensor(counts, at::kLong));
  std::vector<BatchRows> rows;
  for (size_t i = 0; i < counts.size(); ++i) {
    std::vector<int64_t> of_each;
    for (const at::Tensor& one : all) of_each.push_back(one.const_data_ptr<int64_t>()[i]);
    rows.emplace_back(group, std::move(of_each));
  }
  return rows;
}

BatchRows rows_of(const Group& group, int64_t count) {
  return rows_of(group, std::vector<int64_t>{count}).front();
}

}  // namespace moefb::trainer

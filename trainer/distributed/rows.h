// Which rows of the whole batch this process has.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "trainer/distributed/group.h"

namespace moefb::trainer {

/// The rows of all processes, one process after the other: pictures of a batch, tokens of a layer, tokens of an expert.
/// Any process may have none.
class BatchRows {
 public:
  /// @param counts  of each process
  BatchRows(const Group& group, std::vector<int64_t> counts);

  const Group& group() const { return *group_; }
  const std::vector<int64_t>& counts() const { return counts_; }
  int64_t count() const { return counts_[size_t(group_->rank())]; }
  int64_t first() const { return first_; }
  int64_t total() const { return total_; }

  /// This process's part of a tensor that has all rows, (total, ...): how what is random is shared. Every process draws
  /// it for the whole batch from a generator in the same state, as one process would.
  at::Tensor own(const at::Tensor& whole) const { return whole.narrow(0, first(), count()); }

  /// (total, ...) from every process's (count, ...); no slope. Alone: `rows` itself.
  at::Tensor gather(const at::Tensor& rows) const;
  /// The same by process.
  std::vector<at::Tensor> gather_each(const at::Tensor& rows) const;

  /// The mean over all rows; can be differentiated. @param rows  (count, ...)
  at::Tensor mean(const at::Tensor& rows) const;

 private:
  const Group* group_;
  std::vector<int64_t> counts_;
  int64_t first_ = 0;
  int64_t total_ = 0;
};

/// Every process says how many rows it has, of several things at once.
std::vector<BatchRows> rows_of(const Group& group, const std::vector<int64_t>& counts);
BatchRows rows_of(const Group& group, int64_t count);

}  // namespace moefb::trainer

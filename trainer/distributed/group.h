// The processes that train one network together. Start reading several processes here.
//
// Every process has a copy of the network and a share of each batch. Its loss is its part of the whole loss, so that
// gradients summed over the processes are those of one process with the whole batch. Whatever a layer computes over the
// batch (BatchNorm's statistics, routing losses, capacity) goes through sum(), whose slope goes to all processes too:
// the graph spans them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace moefb::trainer {

/// All processes must call the same functions in the same order, also those of the backward pass.
/// @throws std::runtime_error from every function but the first three: another process is gone, or does not answer
class Group {
 public:
  virtual ~Group() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  /// Whether this process writes the run's files.
  bool is_first() const { return rank() == 0; }

  /// The sum of all processes' x, on each of them. Can be differentiated, any number of times: where each process uses
  /// the sum, the slope of x is the sum of what they find. Alone: x itself. The group must outlive the graph.
  at::Tensor sum(const at::Tensor& x) const;

  /// All processes' x, which have equal shapes, by rank; no slope. Alone: x itself.
  std::vector<at::Tensor> gather(const at::Tensor& x) const;

  /// Overwrites x with that of process 0.
  void broadcast(const at::Tensor& x) const;

  /// Whether any process says so.
  bool any(bool mine) const;

  /// Returns when all processes have come here.
  void barrier() const;

 protected:
  // Of more than one process; contiguous tensors without a graph.
  virtual void do_sum(at::Tensor& x) const = 0;
  virtual std::vector<at::Tensor> do_gather(const at::Tensor& x) const = 0;
  virtual void do_broadcast(at::Tensor& x) const = 0;

 private:
  friend struct SumOverProcesses;
};

/// One process: every function returns its argument, to the bit.
const Group& alone();

}  // namespace moefb::trainer

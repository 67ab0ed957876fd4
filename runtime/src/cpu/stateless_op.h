// What ops share that keep nothing for any one executor.
#pragma once

#include <memory>
#include <type_traits>

#include "cpu/op.h"

namespace moefb::cpu {

/// Its states only point at the op. T derives from it and has run(const OpCall&, ThreadPool&) const, which returns a
/// Status or cannot fail; it may be called by several threads at once.
template <typename T>
class StatelessOp : public Op {
 public:
  /// As OpState::tile_rows(); T may have its own.
  static int64_t tile_rows(int64_t rows, int /*threads*/) noexcept { return rows; }

  Result<std::unique_ptr<OpState>> make_state(int, int64_t) const noexcept override {
    return make_new<OpState, State>(static_cast<const T&>(*this));
  }

 private:
  class State final : public OpState {
   public:
    explicit State(const T& op) noexcept : op_(op) {}
    Status run(const OpCall& call, ThreadPool& threads) noexcept override {
      if constexpr (std::is_void_v<decltype(op_.run(call, threads))>) {
        op_.run(call, threads);
        return {};
      } else {
        return op_.run(call, threads);
      }
    }
    bool reentrant() const noexcept override { return true; }
    int64_t tile_rows(int64_t rows, int threads) const noexcept override { return T::tile_rows(rows, threads); }

   private:
    const T& op_;
  };
};

}  // namespace moefb::cpu

// A long computation in steps, which can be put aside and taken up again.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace moefb::trainer {

class Resumable {
 public:
  using State = std::map<std::string, at::Tensor>;

  virtual ~Resumable() = default;

  /// Steps that it takes, as far as that is known beforehand: at most so many.
  virtual int64_t steps() const = 0;
  virtual int64_t steps_done() const = 0;
  virtual bool done() const { return steps_done() == steps(); }

  /// @pre not done(). If it throws, nothing has changed.
  virtual void step() = 0;

  /// Where it stands, on any device. After set_state() it goes on to the same bits.
  virtual State state() const = 0;
  virtual void set_state(const State& state) = 0;
};

}  // namespace moefb::trainer

// Carries out the parts of an analysis one after the other, says how far it is, and keeps what is finished in a file
// so that an interrupted analysis goes on where it stopped.
#pragma once

#include <functional>
#include <string>

#include "converter/safetensors.h"
#include "trainer/analysis/resumable.h"

namespace moefb::trainer {

/// Thrown out of a step when the user wants to stop.
struct Stopped {};

class Session {
 public:
  /// @param path         the file; read if it is of the same `fingerprint`, else of no account
  /// @param fingerprint  everything that results depend on
  /// @param stop         asked before every step
  Session(std::string path, std::string fingerprint, std::function<bool()> stop);

  bool stopping() const { return stop_(); }
  bool resumed() const { return !file_.tensors.empty(); }

  /// Brings a task to its end, from where the file has it.
  /// @param name   of the task in the file
  /// @param label  of the task for people
  /// @throws Stopped  the user wants to stop; where the task stands has been saved
  void run(const std::string& name, const std::string& label, Resumable& task);

  /// Removes the file: the results are elsewhere now.
  void finish();

 private:
  void load(const std::string& name, Resumable& task) const;
  void save(const std::string& name, const Resumable& task);

  std::string path_;
  std::function<bool()> stop_;
  safetensors::File file_;
};

}  // namespace moefb::trainer

#include <algorithm>
#include <stdexcept>

#include "trainer/analysis/commands.h"
#include "trainer/analysis/efficiency.h"
#include "trainer/analysis/hessian.h"
#include "trainer/analysis/routing.h"
#include "trainer/models/device.h"
#include "trainer/train/commands.h"
#include "trainer/train/interrupt.h"

namespace moefb::trainer {
namespace {

struct Analysis {
  std::string name;
  /// Asks its last argument now and then. @return false if that told it to stop
  bool (*run)(TrainedRun&, const AnalyzeCommand&, const std::function<bool()>&);
};

const std::vector<Analysis>& analyses() {
  static const std::vector<Analysis> all = {
      {"hessian", analyze_hessian}, {"routing", analyze_routing}, {"efficiency", analyze_efficiency}};
  return all;
}

bool wanted(const AnalyzeCommand& command, const std::string& name) {
  return command.analyses.empty() || std::ranges::count(command.analyses, name) > 0;
}

void check_names(const std::vector<std::string>& asked) {
  std::string known;
  for (const std::string& name : analysis_names()) known += (known.empty() ? "" : ", ") + name;
  for (const std::string& name : asked) {
    if (std::ranges::count(analysis_names(), name) == 0) {
      throw std::runtime_error("analysis \"" + name + "\" is unknown; expected one of " + known);
    }
  }
}

}  // namespace

const std::vector<std::string>& analysis_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Analysis& analysis : analyses()) list.push_back(analysis.name);
    return list;
  }();
  return names;
}

int analyze(const AnalyzeCommand& command) {
  check_names(command.analyses);
  device_of("--device", command.device);  // before the pictures are read
  TrainedRun run = load_trained_run(command.run, command.data);
  catch_interrupts();
  for (const Analysis& analysis : analyses()) {
    if (wanted(command, analysis.name) && !analysis.run(run, command, interrupted)) return kExitInterrupted;
  }
  return 0;
}

}  // namespace moefb::trainer

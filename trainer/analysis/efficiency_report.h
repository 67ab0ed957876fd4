// What `trainer analyze RUN efficiency` finds, and how it is told: efficiency.json, and lines for a person.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "moefb/inspect.h"
#include "trainer/analysis/contest.h"
#include "trainer/analysis/efficiency_protocol.h"

namespace moefb::trainer {

/// The head of a classifier by itself.
struct HeadEfficiency {
  FileInfo info;
  std::vector<Contestant> rows;
};

struct EfficiencyReport {
  Protocol protocol;
  FileInfo info;  ///< of the converted network
  int64_t pictures = 0;
  double accuracy = 0;  ///< of the first row, over `pictures`
  std::vector<Contestant> rows;
  std::optional<HeadEfficiency> head;
};

/// The content of efficiency.json: docs/analysis.md.
nlohmann::ordered_json to_json(const EfficiencyReport& report);

/// The same in short, as lines that end in a newline.
std::string describe(const EfficiencyReport& report);

}  // namespace moefb::trainer

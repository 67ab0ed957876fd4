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

/// Who was timed by one protocol.
struct TimedRows {
  Protocol protocol;
  std::vector<Contestant> rows;
};

/// A network, or the head of a classifier by itself.
struct Efficiency {
  FileInfo info;                 ///< of the converted model
  std::vector<TimedRows> timed;  ///< on the CPU, then on a GPU if that was asked for
};

struct EfficiencyReport {
  Efficiency network;
  int64_t pictures = 0;
  double accuracy = 0;  ///< of the first row, over `pictures`
  std::optional<Efficiency> head;
};

/// The content of efficiency.json: docs/analysis.md.
nlohmann::ordered_json to_json(const EfficiencyReport& report);

/// The same in short, as lines that end in a newline.
std::string describe(const EfficiencyReport& report);

}  // namespace moefb::trainer

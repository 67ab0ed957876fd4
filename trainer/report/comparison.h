// Which runs belong together: those that differ by their seed alone form a group, the groups of one family and data set
// a panel, whose figures show them side by side.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "trainer/report/run.h"
#include "trainer/report/statistics.h"

namespace moefb::report {

struct Group {
  std::string label;             ///< "sparse, 8 experts, k = 2"; no two of a panel are alike
  std::string name;              ///< shorter: "sparse", "MoE-4"; no two of a panel are alike
  std::vector<const Run*> runs;  ///< by seed
  size_t colour = 0;             ///< its place in the panel

  const Setup& setup() const { return runs.front()->setup; }
  std::string seeds_text() const;  ///< "3 seeds"; "2 runs" where a seed occurs twice
};

struct Panel {
  Family family = Family::kHeads;
  std::string title;  ///< "Heads on cifar10"
  std::vector<Group> groups;

  bool any(const std::function<bool(const Run&)>& holds) const;
};

/// Owns the runs that its groups point to.
struct Comparison {
  std::vector<Run> runs;  ///< as given
  std::vector<Panel> panels;

  Comparison() = default;
  Comparison(Comparison&&) = default;
  Comparison& operator=(Comparison&&) = default;
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  bool any(const std::function<bool(const Run&)>& holds) const;
};

/// Groups and names the runs; their `name` is filled in.
Comparison compare(std::vector<Run> runs);

/// What `value` says of each run of the group, NaN included.
std::vector<double> values_of(const Group& group, const std::function<double(const Run&)>& value);
Spread spread_of(const Group& group, const std::function<double(const Run&)>& value);

/// "sparse", "patch network": what a run is in a word.
std::string kind_text(const Setup& setup);

/// A group's place among those of its panel.
struct Ranked {
  const Group* group = nullptr;
  Spread spread;
};

/// The groups that have a value, best mean first. @param sign  1: the largest is best, -1: the smallest
std::vector<Ranked> ranked(const Panel& panel, int sign, const std::function<double(const Run&)>& value);

/// Whether training came to its end: all epochs, or an earlier end that was tested.
bool is_finished(const Run& run);

/// ranked() over finished runs, over all where none is: a run in its first epochs would pull its group down.
std::vector<Ranked> ranked_at_end(const Panel& panel, int sign, const std::function<double(const Run&)>& value);

/// Whether the difference of the means is more than twice its standard error; false where a group has one run.
bool clearly_apart(const Spread& a, const Spread& b);

/// "3 seeds each", "2 to 3 seeds": how many runs stand behind some figures.
std::string seeds_text(const std::vector<Ranked>& groups);

}  // namespace moefb::report

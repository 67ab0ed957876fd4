#include "trainer/report/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <tuple>

#include "trainer/report/number_text.h"

namespace moefb::report {
namespace {

namespace fs = std::filesystem;

using Settings = std::map<std::string, std::string>;

/// What a seed or a machine changes, and what training leaves in config.json: no reason to part two runs.
constexpr const char* kIncidental[] = {"train.seed", "train.threads", "train.cores_shared_by", "train.workers",
                                       "data.path",  "router_temp",   "current_epoch",         "train.tensorboard"};

/// Settings that earlier versions did not write, and what they did: the same seed's run of today is no other model.
constexpr std::pair<const char*, const char*> kLaterSettings[] = {
    {"train.accumulate", "1"}, {"train.patience", "0"}, {"train.min_delta", "0"}, {"train.deterministic", "false"}};

constexpr size_t kMostDifferences = 3;  // in a label; more would be unreadable

/// "0" and "0.0" are one.
bool same_value(const std::string& a, const std::string& b) {
  if (a == b) return true;
  char *end_a = nullptr, *end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a), y = std::strtod(b.c_str(), &end_b);
  return end_a != a.c_str() && *end_a == '\0' && end_b != b.c_str() && *end_b == '\0' && x == y;
}

Settings identity(const Run& run) {
  Settings settings = run.setup.settings;
  for (const char* key : kIncidental) settings.erase(key);
  for (const auto& [key, value] : kLaterSettings) {
    const auto found = settings.find(key);
    if (found != settings.end() && same_value(found->second, value)) settings.erase(found);
  }
  return settings;
}

std::string base_label(const Setup& setup) {
  std::string label = kind_text(setup);
  if (!setup.routed()) return label;
  label += ", " + counted(size_t(setup.experts), "expert");
  if (setup.head == "sparse") label += ", k = " + std::to_string(setup.k);
  return label;
}

/// Components of a path, last one first.
std::vector<std::string> reversed_components(const std::string& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::absolute(path).lexically_normal()) {
    if (!part.empty() && part != "/") parts.push_back(part.string());
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::string ending(const std::vector<std::string>& reversed, size_t count) {
  std::string text;
  for (size_t i = std::min(count, reversed.size()); i-- > 0;) text += reversed[i] + (i > 0 ? "/" : "");
  return text;
}

/// As much of the ends of the paths as it takes to tell them apart.
void name_runs(std::vector<Run>& runs) {
  std::vector<std::vector<std::string>> paths;
  size_t longest = 1;
  for (const Run& run : runs) {
    paths.push_back(reversed_components(run.path));
    longest = std::max(longest, paths.back().size());
  }
  for (size_t count = 1; count <= longest; ++count) {
    std::set<std::string> names;
    for (size_t i = 0; i < runs.size(); ++i) names.insert(runs[i].name = ending(paths[i], count));
    if (names.size() == runs.size()) return;
  }
}

/// Keys whose values are not the same in all groups; an absent key counts as a value.
std::vector<std::string> differing_keys(const std::vector<Group*>& groups) {
  std::set<std::string> all, differing;
  for (const Group* group : groups) {
    for (const auto& [key, value] : identity(*group->runs.front())) all.insert(key);
  }
  const auto value_of = [](const Group& group, const std::string& key) {
    const Settings& settings = group.setup().settings;
    const auto found = settings.find(key);
    return found == settings.end() ? std::string(kDash) : found->second;
  };
  std::vector<std::string> keys;
  for (const std::string& key : all) {
    const std::string first = value_of(*groups.front(), key);
    const bool same = std::all_of(groups.begin(), groups.end(), [&](auto* g) { return value_of(*g, key) == first; });
    if (!same) keys.push_back(key);
  }
  return keys;
}

/// ", learning_rate 0.2": what tells a group from others that would be called alike. A setting that the group does not
/// have says nothing of it; "train.learning_rate" says no more than "learning_rate".
std::string difference(const Group& group, const std::vector<std::string>& keys) {
  const Settings& settings = group.setup().settings;
  std::string text;
  for (const std::string& key : keys) {
    const auto found = settings.find(key);
    if (found != settings.end()) text += ", " + key.substr(key.rfind('.') + 1) + " " + found->second;
  }
  return text;
}

void add_differences(const std::vector<Group*>& groups) {
  std::vector<std::string> keys = differing_keys(groups);
  if (keys.size() > kMostDifferences) keys.resize(kMostDifferences);
  for (Group* group : groups) {
    const std::string text = difference(*group, keys);
    group->label += text;
    group->name += text;
  }
}

/// Calls `disambiguate` for each set of groups that share a label.
template <typename Disambiguate>
void for_each_shared_label(Panel& panel, Disambiguate disambiguate) {
  std::map<std::string, std::vector<Group*>> by_label;
  for (Group& group : panel.groups) by_label[group.label].push_back(&group);
  for (auto& [label, groups] : by_label) {
    if (groups.size() > 1) disambiguate(groups);
  }
}

/// As the second paper calls its networks.
std::string short_name(const Setup& setup) {
  return setup.kind == "patch_net" ? "MoE-" + std::to_string(setup.experts) : kind_text(setup);
}

/// Short names may be alike where labels are not: "sparse", with 4 and with 8 experts.
void settle_names(Panel& panel) {
  std::map<std::string, int> count;
  for (const Group& group : panel.groups) ++count[group.name];
  for (Group& group : panel.groups) {
    if (count[group.name] > 1) group.name = group.label;
  }
}

void label_groups(Panel& panel) {
  for (Group& group : panel.groups) {
    group.label = base_label(group.setup());
    group.name = short_name(group.setup());
  }
  for_each_shared_label(panel, add_differences);
  // Groups may differ by a fourth key, or by one that only one of them has: then their first runs' names must do.
  for_each_shared_label(panel, [](const std::vector<Group*>& groups) {
    for (Group* group : groups) {
      const std::string text = " (" + group->runs.front()->name + ")";
      group->label += text;
      group->name += text;
    }
  });
  settle_names(panel);
  for (size_t i = 0; i < panel.groups.size(); ++i) panel.groups[i].colour = i;
}

bool same_data(const Setup& a, const Setup& b) {
  return a.family == b.family && a.data == b.data && a.classes == b.classes && a.class_names == b.class_names;
}

/// The data sets' own spelling.
std::string data_title(const Setup& setup) {
  if (setup.data == "cifar10") return "CIFAR-10";
  const std::string name = setup.data == "tiny-imagenet" ? "Tiny ImageNet"
                           : setup.data == "shapes"      ? "drawn shapes"
                                                         : setup.data;
  return name + (setup.classes > 0 ? " (" + std::to_string(setup.classes) + " classes)" : "");
}

std::string panel_title(const Setup& setup) {
  const std::string what = setup.family == Family::kHeads ? "Heads" : "Patch networks";
  return what + (setup.data.empty() ? "" : " on " + data_title(setup));
}

Panel& panel_of(std::vector<Panel>& panels, const Run& run) {
  for (Panel& panel : panels) {
    if (same_data(panel.groups.front().setup(), run.setup)) return panel;
  }
  return panels.emplace_back(Panel{run.setup.family, panel_title(run.setup), {}});
}

Group& group_of(Panel& panel, const Run& run) {
  const Settings wanted = identity(run);
  for (Group& group : panel.groups) {
    if (identity(*group.runs.front()) == wanted) return group;
  }
  return panel.groups.emplace_back();
}

/// The published order: what is dense first, then by the number of experts.
std::tuple<int, int64_t, int64_t> place(const Setup& setup) {
  const std::vector<std::string> heads = {"dense", "soft", "sparse", "hard"};
  const auto head = std::find(heads.begin(), heads.end(), setup.head) - heads.begin();
  return {setup.family == Family::kHeads ? int(head) : int(setup.routed()), setup.experts, setup.k};
}

}  // namespace

std::string kind_text(const Setup& setup) {
  if (setup.kind == "resnet18") return "ResNet-18";
  return setup.kind == "patch_net" ? "patch network" : setup.head;
}

std::string Group::seeds_text() const {
  std::set<int64_t> seeds;
  for (const Run* run : runs) seeds.insert(run->setup.seed);
  return counted(runs.size(), seeds.size() == runs.size() ? "seed" : "run");
}

bool Panel::any(const std::function<bool(const Run&)>& holds) const {
  for (const Group& group : groups) {
    for (const Run* run : group.runs) {
      if (holds(*run)) return true;
    }
  }
  return false;
}

bool Comparison::any(const std::function<bool(const Run&)>& holds) const {
  return std::any_of(runs.begin(), runs.end(), holds);
}

Comparison compare(std::vector<Run> runs) {
  Comparison comparison;
  comparison.runs = std::move(runs);
  name_runs(comparison.runs);
  for (const Run& run : comparison.runs) {
    Panel& panel = panel_of(comparison.panels, run);
    group_of(panel, run).runs.push_back(&run);
  }
  for (Panel& panel : comparison.panels) {
    std::stable_sort(panel.groups.begin(), panel.groups.end(),
                     [](const Group& a, const Group& b) { return place(a.setup()) < place(b.setup()); });
    for (Group& group : panel.groups) {
      std::stable_sort(group.runs.begin(), group.runs.end(),
                       [](const Run* a, const Run* b) { return a->setup.seed < b->setup.seed; });
    }
    label_groups(panel);
  }
  return comparison;
}

std::vector<double> values_of(const Group& group, const std::function<double(const Run&)>& value) {
  std::vector<double> values;
  for (const Run* run : group.runs) values.push_back(value(*run));
  return values;
}

Spread spread_of(const Group& group, const std::function<double(const Run&)>& value) {
  return spread(values_of(group, value));
}

std::vector<Ranked> ranked(const Panel& panel, int sign, const std::function<double(const Run&)>& value) {
  std::vector<Ranked> list;
  for (const Group& group : panel.groups) {
    const Spread all = spread_of(group, value);
    if (all.count > 0) list.push_back({&group, all});
  }
  std::stable_sort(list.begin(), list.end(),
                   [sign](const Ranked& a, const Ranked& b) { return sign * a.spread.mean > sign * b.spread.mean; });
  return list;
}

bool is_finished(const Run& run) {
  return run.test || (!run.epochs.empty() && run.epochs.back().epoch >= run.setup.epochs);
}

std::vector<Ranked> ranked_at_end(const Panel& panel, int sign, const std::function<double(const Run&)>& value) {
  std::vector<Ranked> list =
      ranked(panel, sign, [&](const Run& run) { return is_finished(run) ? value(run) : kUnknown; });
  return list.empty() ? ranked(panel, sign, value) : list;
}

bool clearly_apart(const Spread& a, const Spread& b) {
  if (a.count < 2 || b.count < 2) return false;
  const double variance = a.stddev * a.stddev / double(a.count) + b.stddev * b.stddev / double(b.count);
  return std::fabs(a.mean - b.mean) > 2 * std::sqrt(variance);
}

std::string seeds_text(const std::vector<Ranked>& groups) {
  size_t least = SIZE_MAX, most = 0;
  for (const Ranked& one : groups) {
    least = std::min(least, one.spread.count);
    most = std::max(most, one.spread.count);
  }
  if (least < most) return std::to_string(least) + " to " + counted(most, "seed");
  return counted(most, "seed") + (groups.size() > 1 ? " each" : "");
}

}  // namespace moefb::report

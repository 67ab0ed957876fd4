#include "trainer/train/sweep_folder.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "converter/atomic_file.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string keys_of(const GridPoint& point) {
  std::string keys;
  for (const auto& [key, value] : point.parameters) keys += (keys.empty() ? "" : ", ") + key;
  return keys;
}

Json read_json(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return Json::parse(reinterpret_cast<const char*>(bytes.data()),
                     reinterpret_cast<const char*>(bytes.data() + bytes.size()));
}

/// The first key in which two configurations differ, with both values.
std::string difference(const nlohmann::json& before, const nlohmann::json& now) {
  const auto changes = nlohmann::json::diff(before, now);
  if (changes.empty()) return "";
  const nlohmann::json::json_pointer key(changes[0].at("path").get<std::string>());
  const auto value_in = [&key](const nlohmann::json& json) {
    return json.contains(key) ? json[key].dump() : "nothing";
  };
  return key.to_string() + " was " + value_in(before) + " and is " + value_in(now);
}

}  // namespace

SweepFolder::SweepFolder(std::string path, const nlohmann::json& base, const std::vector<GridPoint>& points)
    : path_(std::move(path)), base_(base) {
  for (const GridPoint& point : points) runs_.push_back({point, RunStatus::kOpen, 0, {}, {}, 0, ""});
  if (fs::exists(json_path())) {
    take_up();
  } else {
    check_empty();
  }
  std::error_code error;
  fs::create_directories(path_, error);
  if (!fs::is_directory(path_)) throw std::runtime_error(path_ + ": cannot be made a folder: " + error.message());
}

void SweepFolder::check_empty() const {
  if (!fs::exists(path_) || (fs::is_directory(path_) && fs::is_empty(path_))) return;
  throw std::runtime_error(path_ + ": expected a new or empty folder, or one with a sweep.json in it");
}

void SweepFolder::take_up() {
  std::vector<SweepRun> before;
  nlohmann::json base;
  try {
    const Json json = read_json(json_path());
    before = runs_of_json(json.at("runs"));
    base = nlohmann::json::parse(json.at("base").dump());
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(json_path() + ": expected the results of a sweep, found " + error.what());
  }
  const std::string changed = difference(base, base_);
  if (!changed.empty()) {
    throw std::runtime_error(path_ + " holds a sweep of another configuration (" + changed +
                             "): choose another folder");
  }
  for (SweepRun& run : before) {
    if (keys_of(run.point) != keys_of(runs_[0].point)) {
      throw std::runtime_error(path_ + " holds a sweep over " + keys_of(run.point) + ", expected one over " +
                               keys_of(runs_[0].point) + ": choose another folder");
    }
    const auto same = [&run](const SweepRun& other) { return other.point.name == run.point.name; };
    const bool in_grid = std::any_of(runs_.begin(), runs_.end(), same);
    if (!in_grid) runs_.push_back(run);
  }
}

void SweepFolder::refresh() {
  for (SweepRun& run : runs_) read_results(run_folder(run), run);
}

void SweepFolder::save() const {
  const std::vector<SweepRun> best_first = sorted(runs_);
  const Json json = {{"base", base_}, {"runs", results_json(best_first)}};
  write_file_atomically(json_path(), json.dump(2) + "\n");
  write_file_atomically(path_ + "/sweep.csv", results_csv(best_first));
}

}  // namespace moefb::trainer

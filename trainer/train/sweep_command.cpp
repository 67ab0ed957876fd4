#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>

#include "trainer/distributed/child_processes.h"
#include "trainer/train/commands.h"
#include "trainer/train/config_file.h"
#include "trainer/train/counted.h"
#include "trainer/train/folder_lock.h"
#include "trainer/train/interrupt.h"
#include "trainer/train/run_config.h"
#include "trainer/train/sweep_folder.h"

namespace moefb::trainer {
namespace {

namespace fs = std::filesystem;

constexpr auto kPoll = std::chrono::milliseconds(50);

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A mistake in one point of the grid is found before the first run begins.
void check_points(const SweepCommand& command, const std::vector<GridPoint>& points) {
  for (const GridPoint& point : points) load_toml_config(command.config, joined(command.sets, point.sets()));
}

std::vector<GridPoint> points_of(const SweepCommand& command) {
  std::vector<GridAxis> axes;
  for (const std::string& text : command.grid) axes.push_back(parse_grid_axis(text));
  return grid_points(axes);
}

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
  }
  return last;
}

/// Runs everything that is not finished, so many at a time.
class Sweep {
 public:
  explicit Sweep(const SweepCommand& command, SweepFolder& folder) : command_(command), folder_(folder) {
    for (SweepRun& run : folder.runs()) {
      if (run.status != RunStatus::kFinished) waiting_.push_back(&run);
    }
    std::reverse(waiting_.begin(), waiting_.end());  // the next one is the last
  }

  /// @return false if it was interrupted
  bool run() {
    while (!done()) {
      if (interrupted()) interrupt_once();
      start_more();
      if (const auto child = children_.ended()) {
        note(*child);
      } else {
        std::this_thread::sleep_for(kPoll);
      }
    }
    return !told_;
  }

 private:
  bool done() const { return children_.running() == 0 && (waiting_.empty() || told_); }

  void interrupt_once() {
    if (!told_) children_.tell_all(SIGTERM);
    told_ = true;
  }

  void start_more() {
    while (!told_ && !waiting_.empty() && int64_t(children_.running()) < command_.jobs) {
      SweepRun* run = waiting_.back();
      waiting_.pop_back();
      run->status = RunStatus::kOpen;
      run->error.clear();
      runs_[children_.start(command_of(*run), {{}, folder_.log(*run)})] = run;
      std::printf("%s: begun\n", run->point.name.c_str());
      std::fflush(stdout);
    }
  }

  std::vector<std::string> command_of(const SweepRun& run) const {
    const std::string path = folder_.run_folder(run);
    if (fs::exists(path + "/config.json")) return {command_.program, "resume", path};
    std::vector<std::string> words = {command_.program, "train", command_.config, "--out", path};
    std::vector<std::string> sets = joined(command_.sets, run.point.sets());
    if (command_.jobs > 1 && run_threads(sets) == 0) sets.push_back("train.threads=" + std::to_string(shared_cores()));
    for (const std::string& set : sets) words.insert(words.end(), {"--set", set});
    return words;
  }

  int64_t run_threads(const std::vector<std::string>& sets) const {
    return load_toml_config(command_.config, sets).train.threads;
  }
  int64_t shared_cores() const {
    return std::max<int64_t>(1, int64_t(std::thread::hardware_concurrency()) / command_.jobs);
  }

  void note(const ChildProcesses::Ended& child) {
    SweepRun& run = *runs_.at(child.number);
    if (child.end.exit_code != 0 && !told_) {
      run.status = RunStatus::kFailed;
      run.error = child.end.signal != 0 ? child.end.text() : last_line(folder_.log(run));
    }
    read_results(folder_.run_folder(run), run);
    folder_.save();
    say(run);
  }

  void say(const SweepRun& run) const {
    const char* name = run.point.name.c_str();
    if (run.status == RunStatus::kFinished) {
      std::printf("%s: val acc %.2f %%, test acc %.2f %%, %.1f s\n", name, 100 * run.best_val_acc.value_or(0),
                  100 * run.test_acc.value_or(0), run.seconds);
    } else if (run.status == RunStatus::kFailed) {
      std::printf("%s: failed: %s\n", name, run.error.c_str());
    } else {
      std::printf("%s: stopped after %s\n", name, counted(run.epochs, "epoch").c_str());
    }
    std::fflush(stdout);
  }

  const SweepCommand& command_;
  SweepFolder& folder_;
  ChildProcesses children_;
  std::vector<SweepRun*> waiting_;
  std::map<size_t, SweepRun*> runs_;  ///< by the number of their process
  bool told_ = false;                 ///< the children, to stop
};

}  // namespace

int sweep(const SweepCommand& command) {
  const std::vector<GridPoint> points = points_of(command);
  check_points(command, points);
  SweepFolder folder(command.out, read_toml(command.config, command.sets), points);
  const FolderLock lock(command.out);
  folder.refresh();
  folder.save();
  catch_interrupts();
  const auto& runs = folder.runs();
  const auto count = [&runs](RunStatus status) {
    return std::count_if(runs.begin(), runs.end(), [status](const SweepRun& run) { return run.status == status; });
  };
  std::printf("%s, %ld of them finished before\n", counted(int64_t(runs.size()), "run").c_str(),
              long(count(RunStatus::kFinished)));
  std::fflush(stdout);
  const bool whole = Sweep(command, folder).run();
  folder.save();
  std::printf("\n%s\nwritten to %s/sweep.csv and sweep.json\n", results_table(sorted(runs)).c_str(),
              command.out.c_str());
  if (!whole) {
    std::printf("stopped; everything is saved. Go on with the same command\n");
    return kExitInterrupted;
  }
  if (const auto failed = count(RunStatus::kFailed)) {
    throw std::runtime_error(std::to_string(failed) + " of " + counted(int64_t(runs.size()), "run") +
                             " failed; what they said is in " + command.out + "/*.log");
  }
  return 0;
}

}  // namespace moefb::trainer

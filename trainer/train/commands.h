// What the program `trainer` can do. No LibTorch header is needed to call it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moefb::trainer {

inline constexpr int kExitInterrupted = 130;  ///< as shells report SIGINT

struct TrainCommand {
  std::string config;             ///< a TOML file
  std::string out;                ///< the new run folder
  std::vector<std::string> sets;  ///< "key=value"
};

struct ResumeCommand {
  std::string run;
  std::string device;  ///< where it goes on, where that is not the run's train.device; may be empty
};

struct SweepCommand {
  std::string program;            ///< the path of `trainer`, which runs once for each point of the grid
  std::string config;             ///< a TOML file
  std::vector<std::string> grid;  ///< "key=value,value"
  std::vector<std::string> sets;  ///< "key=value", of every run
  std::string out;                ///< the sweep's folder
  int64_t jobs = 1;               ///< runs at a time
};

struct EvalCommand {
  std::string run;
  std::string data;           ///< the data set's folder, where it is not the run's data.path; may be empty
  std::string device;         ///< where that is not the run's train.device; may be empty
  std::string model;          ///< a .moefb file that answers the same pictures; may be empty
  std::string predictions;    ///< a CSV file to write; may be empty
  std::string export_folder;  ///< receives the test pictures as PNG; may be empty
};

struct ImportCommand {
  std::string checkpoint;  ///< the published container: model.pt, summary.json beside it, or last.ckpt
  std::string out;         ///< the new run folder
  std::string config;      ///< of last.ckpt: the JSON file with the settings that it lacks; else empty
};

struct LaunchCommand {
  int64_t processes = 0;
  std::vector<std::string> command;  ///< this program's path, then what each process is to do: train or resume
};

/// All return the exit code, 0 or kExitInterrupted. @throws std::exception with a message for the user
int train(const TrainCommand& command);
/// @throws std::exception  what train() would say of the configuration, without the data, in so many processes
void check(const TrainCommand& command, int64_t processes);
/// @throws std::exception  what resume() would say of the run folder, without the data, in so many processes
void check(const ResumeCommand& command, int64_t processes);
int resume(const ResumeCommand& command);
/// Runs that fail do not keep the others from running. @throws std::exception at the end, if one did
int sweep(const SweepCommand& command);
/// Both of these train with several processes where the environment says so (world.h): here they are started.
/// @throws std::runtime_error  also that one of them failed
int launch(const LaunchCommand& command);
/// Fails after everything is written where the model's classes are not the trainer's: see compare_answers().
int eval(const EvalCommand& command);
int import(const ImportCommand& command);

}  // namespace moefb::trainer

// What the program `trainer` can do. No LibTorch header is needed to call it.
#pragma once

#include <string>
#include <vector>

namespace moefb::trainer {

inline constexpr int kExitInterrupted = 130;  ///< as shells report SIGINT

struct TrainCommand {
  std::string config;             ///< a TOML file
  std::string out;                ///< the new run folder
  std::vector<std::string> sets;  ///< "key=value"
};

struct EvalCommand {
  std::string run;
  std::string model;          ///< a .moefb file that answers the same pictures; may be empty
  std::string predictions;    ///< a CSV file to write; may be empty
  std::string export_folder;  ///< receives the test pictures as PNG; may be empty
};

/// All return the exit code, 0 or kExitInterrupted. @throws std::exception with a message for the user
int train(const TrainCommand& command);
int resume(const std::string& run);
int eval(const EvalCommand& command);

}  // namespace moefb::trainer

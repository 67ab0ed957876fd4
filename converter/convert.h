// A run folder or a .safetensors file to a .moefb file. No LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace moefb::convert {

enum class WeightDtype : uint8_t { kF32, kBf16 };

struct Options {
  std::string source;  ///< a run folder, or a .safetensors file
  std::string output;
  std::string config;  ///< empty: the config.json beside the source
  WeightDtype dtype = WeightDtype::kF32;
  bool with_golden = true;
};

/// What was written, for the program to print.
struct Report {
  std::string weights_used;
  std::string config_used;
  std::vector<std::string> warnings;  ///< lines for a person
  std::vector<std::string> notes;     ///< "golden vector 0: from the trainer, logits within 3.1e-07 (limit 2.0e-05)"
  uint64_t file_bytes = 0;
};

/// Converts, reads the result back, runs it, compares; the output file appears only then.
/// @throws std::runtime_error that names the file, the value found and the value expected
Report convert(const Options& options);

/// All of that but the writing.
/// @param report  filled in
/// @return the file's bytes
std::vector<std::byte> convert_to_memory(const Options& options, Report& report);

}  // namespace moefb::convert

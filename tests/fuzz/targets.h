// What is fuzzed: each function takes bytes that nobody vouches for, and must come back. A crash, a sanitizer's report
// or a std::abort() is a finding.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace moefb::fuzz {

using Bytes = std::span<const std::byte>;

void fuzz_reader(Bytes file);       ///< .moefb bytes to a Graph, all that it points to
void fuzz_run(Bytes file);          ///< load a model, look at it as moe-info does, run it in every dispatch mode
void fuzz_picture(Bytes file);      ///< decode a picture, make a model's input of it
void fuzz_safetensors(Bytes file);  ///< .safetensors, values and all
void fuzz_config(Bytes file);       ///< config.json of a run

struct Target {
  const char* name;
  void (*run)(Bytes file);
};
inline constexpr Target kTargets[] = {{"reader", fuzz_reader},
                                      {"run", fuzz_run},
                                      {"picture", fuzz_picture},
                                      {"safetensors", fuzz_safetensors},
                                      {"config", fuzz_config}};

struct Seed {
  std::string name;
  std::vector<std::byte> bytes;
};

/// Small valid files for the target of that name, from which a fuzzer starts: made here, or taken from tests/data.
std::vector<Seed> seeds_for(const std::string& target);

}  // namespace moefb::fuzz

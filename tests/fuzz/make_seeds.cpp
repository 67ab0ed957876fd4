// Writes the seeds of every target into a folder each: make_seeds FOLDER.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "converter/atomic_file.h"
#include "fuzz/targets.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_seeds FOLDER\n", stderr);
    return 1;
  }
  try {
    for (const moefb::fuzz::Target& target : moefb::fuzz::kTargets) {
      const std::filesystem::path folder = std::filesystem::path(argv[1]) / target.name;
      std::filesystem::create_directories(folder);
      for (const moefb::fuzz::Seed& seed : moefb::fuzz::seeds_for(target.name)) {
        moefb::write_file_atomically((folder / seed.name).string(), seed.bytes);
      }
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "make_seeds: %s\n", e.what());
    return 1;
  }
  return 0;
}

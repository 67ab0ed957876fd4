// "1 thread", "2 threads".
#pragma once

#include <cstdint>
#include <string>

namespace moefb::trainer {

inline std::string counted(int64_t count, const std::string& noun) {
  const bool hisses = noun.ends_with("tch") || noun.ends_with("ss");  // batch, class; but epoch
  return std::to_string(count) + " " + noun + (count == 1 ? "" : hisses ? "es" : "s");
}

}  // namespace moefb::trainer

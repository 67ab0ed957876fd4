#include <cstdlib>
#include <stdexcept>

#include "converter/config.h"
#include "fuzz/targets.h"

namespace moefb::fuzz {

void fuzz_config(Bytes file) {
  try {
    convert::parse_config({reinterpret_cast<const char*>(file.data()), file.size()}, "file");
  } catch (const std::runtime_error& e) {
    if (!std::string(e.what()).starts_with("file: ")) std::abort();  // a refusal names the file
  }
}

}  // namespace moefb::fuzz

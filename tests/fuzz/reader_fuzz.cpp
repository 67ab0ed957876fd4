#include <cstdlib>

#include "format/reader.h"
#include "fuzz/targets.h"
#include "runtime/format/tiny_model.h"
#include "runtime/format/touch.h"

namespace moefb::fuzz {

void fuzz_reader(Bytes file) {
  const testing::FileBytes copy(file);
  const auto graph = format::read_graph(copy.span(), true);
  if (!graph.ok()) {
    if (*graph.status().text() == '\0') std::abort();  // a refusal says why
    return;
  }
  testing::touch(**graph);
}

}  // namespace moefb::fuzz

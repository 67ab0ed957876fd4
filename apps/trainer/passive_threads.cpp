#include "apps/trainer/passive_threads.h"

#include <unistd.h>

#include <cstdlib>

namespace moefb::trainer {

void restart_with_passive_threads(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("GOMP_SPINCOUNT", "0", 1);
  execv("/proc/self/exe", argv);  // returns only where there is no /proc: then we go on as we are
}

}  // namespace moefb::trainer

#include "trainer/train/interrupt.h"

#include <csignal>

namespace moefb::trainer {
namespace {

volatile std::sig_atomic_t signal_arrived = 0;

void note(int) {
  signal_arrived = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART | int(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
  return signal_arrived != 0;
}

}  // namespace moefb::trainer

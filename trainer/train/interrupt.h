// Ctrl-C and SIGTERM as a question that a loop can ask.
#pragma once

namespace moefb::trainer {

/// From now on the first SIGINT or SIGTERM only sets a flag; a second one ends the program as usual.
void catch_interrupts();

/// Whether one arrived.
bool interrupted();

}  // namespace moefb::trainer

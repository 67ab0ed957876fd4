// How LibTorch's OpenMP threads wait for work. The runtime's own never spin for long, and it starts none of OpenMP's.
#pragma once

namespace moefb::trainer {

/// Starts the program once more with OpenMP threads that sleep while they wait, unless its caller has chosen how they
/// wait (OMP_WAIT_POLICY or GOMP_SPINCOUNT is set). Call it first in main().
///
/// libgomp reads its variables when it is loaded, before main(), so setting them is not enough. Threads that wait by
/// spinning take the cores from whoever has work: with another job on one of two cores, training fell from 275 to 119
/// images/s (docs/design.md, section 11).
void restart_with_passive_threads(char** argv);

}  // namespace moefb::trainer

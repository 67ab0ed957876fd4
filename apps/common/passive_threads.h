// How a program's OpenMP threads wait for work.
#pragma once

namespace moefb::apps {

/// Starts the program once more with OpenMP threads that sleep while they wait, unless its caller has chosen how they
/// wait (OMP_WAIT_POLICY or GOMP_SPINCOUNT is set). Call it first in main().
///
/// libgomp reads its variables when it is loaded, before main(), so setting them is not enough. Threads that wait by
/// spinning take the cores from whoever has work: beside another job, two of them classified pictures eight times
/// slower than one thread.
void restart_with_passive_threads(char** argv);

}  // namespace moefb::apps

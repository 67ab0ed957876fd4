// The group of several processes, over c10d.
#pragma once

#include <chrono>
#include <memory>

#include "trainer/distributed/group.h"
#include "trainer/distributed/world.h"

namespace moefb::trainer {

/// How long a process waits for the others before it gives them up. A process that ended is noticed at once; this is
/// for one that hangs, and for a machine that went away. Long enough for process 0 to write a checkpoint, and for the
/// slowest to read its pictures.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::minutes(5);

/// Waits for all processes. Tensors on a GPU go over NCCL, those on the CPU over Gloo, from the network interface that
/// GLOO_SOCKET_IFNAME names, else from the one of this machine's host name.
/// @return alone() where `world` is
/// @throws std::runtime_error  the store cannot be served or reached, two processes have one rank, or one did not come
std::shared_ptr<const Group> join(const World& world, std::chrono::milliseconds patience = kPatience);

}  // namespace moefb::trainer

// From choices to rows of experts: how many slots an expert has, who gets them, and its rows side by side.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/routing/choice.h"
#include "kernels/routing/host_device.h"

namespace moefb::kernels::routing {

/// Slots of one expert for T tokens: max(1, ceil(factor * T / E)), in float64. spec/patch-moe.md, section 4, step 5.
MOEFB_HD inline int64_t capacity(double factor, int64_t T, int64_t E) noexcept {
  const double slots = std::ceil(factor * static_cast<double>(T) / static_cast<double>(E));
  constexpr double kMost = 9007199254740992.0;  // 2^53, the last exact count: a file may ask for more than an int holds
  if (!(slots > 1.0)) return 1;
  return static_cast<int64_t>(slots < kMost ? slots : kMost);
}

MOEFB_HD inline bool is_expert(int32_t e, int64_t E) noexcept {
  return e >= 0 && e < E;
}

/// Counting sort of the routes by expert, stable: rows of expert e are order[offsets[e] .. offsets[e + 1]), each a
/// route t * K + k. Routes of -1 are left out.
/// @param chosen   (routes) = (T, K)
/// @param offsets  (E + 1) out
/// @param order    (routes) out; offsets[E] of them are valid
MOEFB_HD inline void sort_by_expert(const int32_t* chosen, int64_t routes, int64_t E, int32_t* offsets,
                                    int32_t* order) noexcept {
  for (int64_t e = 0; e <= E; ++e) offsets[e] = 0;
  for (int64_t route = 0; route < routes; ++route) {
    if (is_expert(chosen[route], E)) ++offsets[chosen[route] + 1];
  }
  for (int64_t e = 0; e < E; ++e) offsets[e + 1] += offsets[e];
  for (int64_t route = 0; route < routes; ++route) {
    if (is_expert(chosen[route], E)) order[offsets[chosen[route]]++] = static_cast<int32_t>(route);
  }
  for (int64_t e = E; e > 0; --e) offsets[e] = offsets[e - 1];  // each had moved on to the next one's start
  offsets[0] = 0;
}

/// Merges the neighbouring sorted runs from[0 .. middle) and from[middle .. end) into `to`.
MOEFB_HD inline void merge_runs(const int32_t* from, int64_t middle, int64_t end, const float* gate,
                                int32_t* to) noexcept {
  int64_t left = 0;
  int64_t right = middle;
  for (int64_t i = 0; i < end; ++i) {
    const bool take_left =
        left < middle && (right >= end || precedes(gate[from[left]], from[left], gate[from[right]], from[right]));
    to[i] = from[take_left ? left++ : right++];
  }
}

/// Sorts n tokens by confidence, merging runs of 1, 2, 4, ... tokens back and forth between `tokens` and `buffer`.
MOEFB_HD inline void sort_by_gate(const float* gate, int64_t n, int32_t* tokens, int32_t* buffer) noexcept {
  int32_t* from = tokens;
  int32_t* to = buffer;
  for (int64_t run = 1; run < n; run *= 2) {
    for (int64_t begin = 0; begin < n; begin += 2 * run) {
      const int64_t left = n - begin;
      merge_runs(from + begin, run < left ? run : left, 2 * run < left ? 2 * run : left, gate, to + begin);
    }
    int32_t* sorted = to;
    to = from;
    from = sorted;
  }
  if (from == tokens) return;
  for (int64_t i = 0; i < n; ++i) tokens[i] = from[i];
}

/// Slot of each token in its expert: 0 for the most confident; among equals the lower token first.
/// @param expert   (T) chosen experts; -1 for none
/// @param gate     (T) their probabilities
/// @param order    (T) scratch
/// @param offsets  (E + 1) scratch
/// @param slot     (T) out; a value >= the capacity means that the token finds no room; -1 without an expert
MOEFB_HD inline void rank_slots(const int32_t* expert, const float* gate, int64_t T, int64_t E, int32_t* order,
                                int32_t* offsets, int32_t* slot) noexcept {
  sort_by_expert(expert, T, E, offsets, order);
  for (int64_t e = 0; e < E; ++e) {
    // Until the slots are written, their memory is the sort's second buffer.
    sort_by_gate(gate, offsets[e + 1] - offsets[e], order + offsets[e], slot + offsets[e]);
  }
  for (int64_t t = 0; t < T; ++t) slot[t] = -1;
  for (int64_t e = 0; e < E; ++e) {
    for (int32_t i = offsets[e]; i < offsets[e + 1]; ++i) slot[order[i]] = i - offsets[e];
  }
}

/// The most probable expert that has room: the first of the equals; -1 if all are full.
/// @param taken  (E) slots in use
MOEFB_HD inline int32_t best_with_room(const float* probs, const int32_t* taken, int64_t E, int64_t capacity) noexcept {
  int32_t best = -1;
  for (int32_t e = 0; e < E; ++e) {
    if (taken[e] < capacity && (best < 0 || precedes(probs[e], e, probs[best], best))) best = e;
  }
  return best;
}

/// Second choices (spec/patch-moe.md, section 13, flaw 6): once all first choices have their slots, the tokens without
/// one, the most confident first, each take their most probable expert that still has room, and its next slot.
/// @param probs   (T, E)
/// @param gate    (T) confidence of the first choices: the order of the queue
/// @param order, buffer  (T) scratch
/// @param taken   (E) scratch
/// @param expert  (T) in and out; -1 for a token that looks for a place
/// @param slot    (T) in and out; -1 stays where all experts are full
MOEFB_HD inline void place_dropped(const float* probs, const float* gate, int64_t T, int64_t E, int64_t capacity,
                                   int32_t* order, int32_t* buffer, int32_t* taken, int32_t* expert,
                                   int32_t* slot) noexcept {
  for (int64_t e = 0; e < E; ++e) taken[e] = 0;
  int64_t waiting = 0;
  for (int32_t t = 0; t < T; ++t) {
    if (is_expert(expert[t], E)) {
      ++taken[expert[t]];
    } else {
      order[waiting++] = t;
    }
  }
  sort_by_gate(gate, waiting, order, buffer);
  for (int64_t i = 0; i < waiting; ++i) {
    const int32_t t = order[i];
    expert[t] = best_with_room(probs + t * E, taken, E, capacity);
    if (expert[t] >= 0) slot[t] = taken[expert[t]]++;
  }
}

}  // namespace moefb::kernels::routing

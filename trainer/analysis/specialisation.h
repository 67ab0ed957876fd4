// Do experts specialise in classes? The mutual information of class and expert, and what chance alone would give.
#pragma once

#include <cstdint>
#include <span>

#include "trainer/analysis/count_table.h"

namespace moefb::trainer {

/// In bits, of row and column of a token drawn from the table (Cover and Thomas 2006, section 2.3). 0 for an empty
/// table.
double mutual_information_bits(const CountTable& table);

/// The most that it could be with these totals of rows and columns: the smaller one of their two entropies, in bits.
double information_limit_bits(const CountTable& table);

struct Specialisation {
  double mutual_information_bits = 0;
  double of_at_most = 0;   ///< information_limit_bits()
  double chance_mean = 0;  ///< mean and 95th percentile (nearest rank) over the permutations
  double chance_p95 = 0;
  double p_value = 1;
  int64_t permutations = 0;
};

/// Permutation test of "which class a picture has says nothing about its experts". Each permutation deals the labels
/// out to the pictures anew: whole pictures, since the tokens of one picture are not independent of each other. The
/// estimate from a finite table is above 0 for independent variables too; chance_mean says by how much.
///
/// p = (b + 1) / (permutations + 1), where b permutations have at least the information found (Phipson and Smyth 2010,
/// Stat. Appl. Genet. Mol. Biol. 9(1)): never 0, and valid for any number of permutations.
/// @param pictures      (n, E) picture_table()
/// @param labels        (n)
/// @param permutations  1 or more; the same seed gives the same ones
Specialisation specialisation(const CountTable& pictures, std::span<const int64_t> labels, int64_t classes,
                              int64_t permutations, uint64_t seed);

}  // namespace moefb::trainer

// Which expert takes which class, place and pair: counts over the choices of a pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/analysis/count_table.h"
#include "trainer/analysis/layer_choices.h"

namespace moefb::trainer {

/// (n, E): how many tokens of each picture have each expert as their first choice.
CountTable picture_table(const LayerChoices& layer);

/// (classes, E): the rows of `pictures` added up by class. @param labels  (n)
CountTable class_table(const CountTable& pictures, std::span<const int64_t> labels, int64_t classes);

/// (T, E): first choices at each place in the picture, row by row.
CountTable position_table(const LayerChoices& layer);

/// (E of `from`, E of `to`): tokens of `to` by their own first choice and by that of the token of `from` that covers
/// their centre. @pre both hold the same pictures
CountTable transition_table(const LayerChoices& from, const LayerChoices& to);

/// (E, E): share of the tokens that both experts take; the diagonal is each expert's load. Empty unless the layer has
/// `chosen`.
Rows coactivation(const LayerChoices& layer);

/// Share of the tokens with the same first choice in both. @pre the same layer of two networks, over the same pictures
double same_share(const LayerChoices& before, const LayerChoices& after);

/// Tokens whose first choice is `expert`, the surest first, at most one of a picture and `limit` in all; among equals
/// the lower token first. Heads with top_k = 1 or more: the token is the picture.
std::vector<int64_t> surest_tokens(const LayerChoices& layer, int64_t expert, int64_t limit);

}  // namespace moefb::trainer

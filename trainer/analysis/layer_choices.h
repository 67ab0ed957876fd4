// What the routers of a network chose for the pictures of a pass, token by token. No LibTorch from here on: the
// statistics of routing.json are made of these.
#pragma once

#include <cstdint>
#include <vector>

namespace moefb::trainer {

/// One layer's choices. n pictures, T = rows * columns tokens of each; the token of a head is the picture.
struct LayerChoices {
  int64_t layer = -1;  ///< published index; -1: the head
  int64_t experts = 1;
  int64_t rows = 1;
  int64_t columns = 1;
  std::vector<int32_t> first;   ///< (n, T) the expert that the router scores highest, whether or not it has room
  std::vector<float> sureness;  ///< (n, T) softmax over the scores of all experts, at the first choice
  int64_t top_k = 1;            ///< experts that take a token; all of a soft head
  std::vector<int32_t> chosen;  ///< (n, top_k) of a sparse head with top_k > 1; else empty

  int64_t tokens_per_picture() const { return rows * columns; }
  int64_t tokens() const { return int64_t(first.size()); }
  int64_t pictures() const { return tokens() / tokens_per_picture(); }
};

}  // namespace moefb::trainer

// Damage to a file in every place, one after the other, for those who read it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace moefb::testing {

/// @param whole    a file that is taken: bytes or a string
/// @param refusal  what reading these bytes says; "" if they are taken
template <class Bytes, class Refusal>
void expect_every_cut_refused(const Bytes& whole, Refusal refusal) {
  EXPECT_EQ(refusal(whole), "");
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal(Bytes(whole.begin(), whole.begin() + std::ptrdiff_t(length))), "") << length;
  }
}

/// Changes each byte of `part`, which stands somewhere in the file. @param end  of every message
template <class Refusal>
void expect_every_change_noticed(std::vector<std::byte> file, const std::vector<std::byte>& part, Refusal refusal,
                                 const std::string& end) {
  const auto place = std::search(file.begin(), file.end(), part.begin(), part.end());
  ASSERT_NE(place, file.end());
  for (size_t i = 0; i < part.size(); ++i) {
    place[std::ptrdiff_t(i)] ^= std::byte{1};
    const std::string message = refusal(file);
    EXPECT_TRUE(message.ends_with(end)) << "byte " << i << " of " << part.size() << ": \"" << message << '"';
    place[std::ptrdiff_t(i)] ^= std::byte{1};
  }
}

}  // namespace moefb::testing

// Which pictures train, which select and which test.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/random.h"

namespace moefb::trainer {

/// An order of the pictures in which every beginning holds each class in proportion, as far as whole pictures allow;
/// within a class all orders have equal chance.
/// @param labels  of the pictures, from 0 to classes - 1
std::vector<int64_t> balanced_order(std::span<const int64_t> labels, int64_t classes, Random random);

/// How many to take: `asked`, or all where it is 0.
/// @throws std::runtime_error  more than `available` asked for: names data set and key
int64_t size_within(const std::string& data_set, const char* key, int64_t asked, int64_t available);

}  // namespace moefb::trainer

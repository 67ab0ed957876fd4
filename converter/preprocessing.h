// What a model file says of its classes and of how a picture becomes its input (design.md, section 9).
#pragma once

#include <cstdint>

#include "converter/config.h"
#include "schema/moefb_generated.h"

namespace moefb::convert {

/// Class names from the configuration. @throws std::runtime_error naming both if their number is not `classes`
void describe_classes(const Config& config, int64_t classes, fb::MetaT& meta);

/// The rule for pictures, with the defaults of the model's family. @pre config.image is there
std::unique_ptr<fb::PreprocT> make_preprocessing(const Config& config);

}  // namespace moefb::convert

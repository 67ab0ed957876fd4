// --routing-image: the last run's routing as a picture. Drawing itself is in drawing/.
#pragma once

#include <string>

#include "apps/moe-infer/answer.h"
#include "moefb/executor.h"
#include "moefb/image.h"

namespace moefb::infer {

/// @throws std::runtime_error if the model has no patches to draw, naming `path`
void check_draws_patches(const Model& model, const std::string& path);

/// Where picture `index` (from 0) of `count` is drawn: `file` itself for one picture, "a-1.png", "a-2.png", ... for
/// several.
std::string routing_image_file(const std::string& file, size_t index, size_t count);

/// Draws where the executor's last run, of `image`, sent each patch. The file appears whole or not at all.
/// @param executor    has run that one image under Trace::kRouting or kAll
/// @param model_path  for the caption
/// @throws std::runtime_error that names the file
void write_routing_image(const std::string& file, const Executor& executor, const Image& image, const Answer& answer,
                         const std::string& model_path);

}  // namespace moefb::infer

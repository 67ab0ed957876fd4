// The answers of an evaluation, picture by picture, as a CSV file.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "trainer/train/evaluate.h"

namespace moefb::trainer {

/// Columns: index, label, predicted, probability (of `predicted`), label_name, predicted_name, file, experts (sparse
/// heads: best first, separated by spaces) and, with `runtime_logits`, runtime_predicted and runtime_probability.
/// @param files           the column `file`, (n)
/// @param runtime_logits  (n, C), or undefined
/// @throws std::runtime_error that names the file
void write_predictions(const std::string& path, const Evaluation& evaluation,
                       const std::vector<std::string>& class_names, const std::vector<std::string>& files,
                       const at::Tensor& runtime_logits);

}  // namespace moefb::trainer

#include "trainer/train/predictions.h"

#include <ATen/ATen.h>

#include <sstream>

#include "converter/atomic_file.h"

namespace moefb::trainer {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

struct Answers {
  at::Tensor classes;        ///< (n) I64
  at::Tensor probabilities;  ///< (n) f32
};

Answers answers(const at::Tensor& logits) {
  const auto [probabilities, classes] = at::softmax(logits, 1).max(1);
  return {classes.contiguous(), probabilities.contiguous()};
}

std::string expert_list(const at::Tensor& topk_idx, int64_t row) {
  if (!topk_idx.defined()) return "";
  std::ostringstream text;
  for (int64_t j = 0; j < topk_idx.size(1); ++j) text << (j ? " " : "") << topk_idx[row][j].item<int64_t>();
  return text.str();
}

}  // namespace

void write_predictions(const std::string& path, const Evaluation& evaluation,
                       const std::vector<std::string>& class_names, const std::vector<std::string>& files,
                       const at::Tensor& runtime_logits) {
  const Answers own = answers(evaluation.logits);
  const Answers runtime = runtime_logits.defined() ? answers(runtime_logits) : Answers{};
  std::ostringstream csv;
  csv << "index,label,predicted,probability,label_name,predicted_name,file,experts";
  csv << (runtime_logits.defined() ? ",runtime_predicted,runtime_probability\n" : "\n");
  for (int64_t i = 0; i < evaluation.labels.size(0); ++i) {
    const int64_t label = evaluation.labels.const_data_ptr<int64_t>()[i];
    const int64_t predicted = own.classes.const_data_ptr<int64_t>()[i];
    csv << i << ',' << label << ',' << predicted << ',' << own.probabilities.const_data_ptr<float>()[i] << ','
        << quoted(class_names[size_t(label)]) << ',' << quoted(class_names[size_t(predicted)]) << ','
        << quoted(files[size_t(i)]) << ',' << expert_list(evaluation.topk_idx, i);
    if (runtime_logits.defined()) {
      csv << ',' << runtime.classes.const_data_ptr<int64_t>()[i] << ','
          << runtime.probabilities.const_data_ptr<float>()[i];
    }
    csv << '\n';
  }
  write_file_atomically(path, csv.str());
}

}  // namespace moefb::trainer

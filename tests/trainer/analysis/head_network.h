// A head alone as a network: its pictures are rows of features.
#pragma once

#include <memory>

#include "trainer/models/head.h"
#include "trainer/models/network.h"

namespace moefb::trainer {

class HeadNetwork : public Network {
 public:
  explicit HeadNetwork(std::shared_ptr<Head> head) : head_(std::move(head)) {}

  using Network::run;
  NetworkOutput run(const at::Tensor& features, Precision) override { return answer(features, nullptr); }
  NetworkOutput rerun(const at::Tensor& features, const NetworkOutput& routes) override {
    Draws held;
    held.topk_idx = routes.head.topk_idx;
    held.weights = routes.head.weights;
    return answer(features, &held);
  }
  torch::nn::Module& module() override { return *head_; }

 private:
  NetworkOutput answer(const at::Tensor& features, const Draws* draws) {
    NetworkOutput out;
    out.head = head_->forward(features, draws);
    out.logits = out.head.logits;
    return out;
  }

  std::shared_ptr<Head> head_;
};

}  // namespace moefb::trainer

// The figures of the two published systems, from published.json, which names its sources.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/run.h"

namespace moefb::report {

struct PublishedTiming {
  std::string device;
  int64_t batch = 0;
  double mean_ms = kUnknown, images_per_s = kUnknown;
};

/// One column of Tables II to IV (docs/spec/cifar-heads.md, section 14). Unknown numbers are NaN, lists empty.
struct PublishedHead {
  std::string head;  ///< dense, soft or sparse
  std::string name;
  double train_acc = kUnknown, val_acc = kUnknown, test_acc = kUnknown, test_loss = kUnknown;
  int64_t train_epoch = 0, val_epoch = 0;  ///< of the maxima
  std::vector<double> eigenvalues_train, eigenvalues_test;
  double trace_train = kUnknown, trace_test = kUnknown;
  std::vector<double> curve_alphas, curve_losses;          ///< along the top eigenvector of the training pictures
  double entropy = kUnknown;                               ///< nats, test pictures
  std::vector<double> history_train_acc, history_val_acc;  ///< by epoch
  double parameters = kUnknown, peak_mib = kUnknown;
  std::vector<PublishedTiming> timings;
};

/// One row of the second paper's tables (docs/spec/patch-moe.md, section 14).
struct PublishedPatches {
  std::string kind;  ///< patch_net or resnet18
  std::string name;
  int64_t experts = 0;
  double top1 = kUnknown, val_loss = kUnknown, spec_entropy = kUnknown, subset_top1 = kUnknown;
  double latency_ms = kUnknown, latency_std_ms = kUnknown;
  double entropy_norm = kUnknown, imbalance = kUnknown, drop_rate = kUnknown, capacity_ratio = kUnknown;
  double parameters = kUnknown;
};

struct Published {
  std::string heads_source, heads_size, patches_source, patches_size;
  std::vector<PublishedHead> heads;
  std::vector<PublishedPatches> patches;

  /// nullptr where nothing was published on such a head
  const PublishedHead* head(const std::string& name) const;
};

/// The built-in file, read at the first call.
const Published& published();

/// "published (width 64, 50 epochs, GPU)"
std::string published_source(const std::string& size);

}  // namespace moefb::report

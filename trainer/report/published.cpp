#include "trainer/report/published.h"

#include "converter/strict_json.h"
#include "trainer/report/embedded_files.h"
#include "trainer/report/fields.h"

namespace moefb::report {
namespace {

PublishedHead read_head(const Fields& model) {
  PublishedHead head;
  head.head = model.text("head");
  head.name = model.text("name");
  head.train_acc = model.number("train_acc");
  head.train_epoch = model.integer("train_epoch");
  head.val_acc = model.number("val_acc");
  head.val_epoch = model.integer("val_epoch");
  head.test_acc = model.number("test_acc");
  head.test_loss = model.number("test_loss");
  head.eigenvalues_train = model.numbers("eigenvalues_train");
  head.eigenvalues_test = model.numbers("eigenvalues_test");
  head.trace_train = model.number("trace_train");
  head.trace_test = model.number("trace_test");
  head.curve_alphas = model.numbers("curve_alphas");
  head.curve_losses = model.numbers("curve_losses");
  head.entropy = model.number_if_any("entropy");
  head.history_train_acc = model.numbers("history_train_acc");
  head.history_val_acc = model.numbers("history_val_acc");
  head.parameters = model.number("parameters");
  head.peak_mib = model.number("peak_mib");
  for (const Fields& timing : model.objects_if_any("timings")) {
    head.timings.push_back(
        {timing.text("device"), timing.integer("batch"), timing.number("mean_ms"), timing.number("images_per_s")});
  }
  return head;
}

PublishedPatches read_patches(const Fields& model) {
  PublishedPatches patches;
  patches.kind = model.text("kind");
  patches.name = model.text("name");
  patches.experts = model.integer("experts");
  patches.top1 = model.number("top1");
  patches.val_loss = model.number("val_loss");
  patches.spec_entropy = model.number_if_any("spec_entropy");
  patches.subset_top1 = model.number("subset_top1");
  patches.latency_ms = model.number("latency_ms");
  patches.latency_std_ms = model.number("latency_std_ms");
  patches.entropy_norm = model.number_if_any("entropy_norm");
  patches.imbalance = model.number_if_any("imbalance");
  patches.drop_rate = model.number_if_any("drop_rate");
  patches.capacity_ratio = model.number_if_any("capacity_ratio");
  patches.parameters = model.number_if_any("parameters");
  return patches;
}

Published read_published() {
  const std::string name = "trainer/report/published.json";
  const nlohmann::json json = parse_json_object(kPublishedJson, name);
  const Fields file(json, name);
  const Fields heads = file.object("heads"), patches = file.object("patches");
  Published all{heads.text("source"), heads.text("size"), patches.text("source"), patches.text("size"), {}, {}};
  for (const Fields& model : heads.objects_if_any("models")) all.heads.push_back(read_head(model));
  for (const Fields& model : patches.objects_if_any("models")) all.patches.push_back(read_patches(model));
  return all;
}

}  // namespace

const PublishedHead* Published::head(const std::string& name) const {
  for (const PublishedHead& one : heads) {
    if (one.head == name) return &one;
  }
  return nullptr;
}

const Published& published() {
  static const Published all = read_published();
  return all;
}

std::string published_source(const std::string& size) {
  return "published (" + size + ")";
}

}  // namespace moefb::report

#include "apps/common/names.h"

#include <stdexcept>

namespace moefb::apps {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& found, const char* expected) {
  throw std::runtime_error("--" + option + ": no such value \"" + found + "\": use " + expected);
}

}  // namespace

Kernels kernels_from(const std::string& name) {
  if (name == "auto") return Kernels::kAuto;
  if (name == "onednn") return Kernels::kOnednn;
  if (name == "reference") return Kernels::kReference;
  if (name == "native") {
    throw std::runtime_error("kernels native do not exist yet in this version: use auto, onednn or reference");
  }
  refuse("kernels", name, "auto, onednn or reference");
}

Dispatch dispatch_from(const std::string& name) {
  if (name == "grouped") return Dispatch::kGrouped;
  if (name == "naive") return Dispatch::kNaive;
  if (name == "all") return Dispatch::kAll;
  refuse("dispatch", name, "grouped, naive or all");
}

CapacityGroup capacity_group_from(const std::string& name) {
  if (name == "batch") return CapacityGroup::kBatch;
  if (name == "image") return CapacityGroup::kImage;
  if (name == "none") return CapacityGroup::kNone;
  refuse("capacity-group", name, "batch, image or none");
}

Backend backend_from(const std::string& name) {
  if (name == "cpu") return Backend::kCpu;
  if (name == "cuda") throw std::runtime_error("backend cuda does not exist yet in this version: use cpu");
  refuse("backend", name, "cpu");
}

const char* name_of(Kernels kernels) {
  switch (kernels) {
    case Kernels::kAuto:
      return "auto";
    case Kernels::kOnednn:
      return "onednn";
    case Kernels::kReference:
      return "reference";
  }
  return "?";
}

const char* name_of(CapacityGroup group) {
  switch (group) {
    case CapacityGroup::kBatch:
      return "batch";
    case CapacityGroup::kImage:
      return "image";
    case CapacityGroup::kNone:
      return "none";
  }
  return "?";
}

const char* name_of(InputKind kind) {
  switch (kind) {
    case InputKind::kPicture:
      return "pictures";
    case InputKind::kFeatures:
      return "features";
    case InputKind::kMap:
      return "maps";
  }
  return "?";
}

const char* name_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::kF32:
      return "F32";
    case Dtype::kBf16:
      return "BF16";
    case Dtype::kI32:
      return "I32";
    case Dtype::kU8:
      return "U8";
    case Dtype::kI64:
      return "I64";
  }
  return "?";
}

}  // namespace moefb::apps

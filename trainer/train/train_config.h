// How a run trains: the [train] table of a configuration.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "trainer/data/augment.h"
#include "trainer/models/device.h"
#include "trainer/models/network_config.h"
#include "trainer/train/mixing.h"
#include "trainer/train/patch_schedule.h"
#include "trainer/train/patience.h"
#include "trainer/train/schedule.h"

namespace moefb::trainer {

enum class PrecisionChoice : uint8_t {
  kAuto,  ///< bf16 where the device computes in it, f32 elsewhere: emulated by a CPU, bf16 is ten times slower
  kF32,   ///< always, in patch networks
  kBf16,
};

/// Which epoch's weights a run leaves in model.safetensors.
enum class WeightChoice : uint8_t {
  kBest,  ///< the first with the highest validation accuracy, as published for the heads
  kLast,  ///< the last epoch's, as published for the patch networks: validation selects nothing
};

enum class OptimizerKind : uint8_t { kSgd, kAdamW };

/// Defaults are the published recipe of the heads; published_training() has the others.
struct TrainConfig {
  int64_t batch_size = 128;
  int64_t accumulate = 1;   ///< batches of one optimiser step
  ScheduleConfig schedule;  ///< keys schedule, learning_rate, epochs, warmup_epochs, milestones, gamma
  PatchRecipe patch;        ///< of schedule `patch`: its keys, and the schedule's epochs and rates
  OptimizerKind optimizer = OptimizerKind::kSgd;
  double momentum = 0.9;  ///< sgd
  bool nesterov = false;  ///< sgd
  double weight_decay = 5e-4;
  double ema = 0;               ///< decay of the average of the weights, which is then validated and kept; 0: none
  double clip_norm = 0;         ///< of all gradients but the routers'; 0: they are not clipped
  double router_clip_norm = 0;  ///< of the routers' gradients
  double label_smoothing = 0;
  bool mix = false;         ///< MixUp or CutMix in every batch
  MixConfig mixing;         ///< keys cutmix_probability, mixup_alpha, cutmix_alpha
  uint64_t seed = 42;       ///< of weights, order, augmentation, dropout, mixing and gate noise
  AugmentConfig augment;    ///< keys: see augment_config.cpp
  int64_t small_image = 0;  ///< side of the pictures in the first `small_image_epochs` epochs; 0: the model's
  int64_t small_image_epochs = 0;
  WeightChoice keep = WeightChoice::kBest;
  PatienceConfig patience;     ///< keys patience, min_delta
  bool tensorboard = false;    ///< an event file, beside metrics.jsonl
  int64_t keep_every = 0;      ///< epochs from one weights-epoch-NNNN.safetensors to the next; 0: none are left
  std::string device = "cpu";  ///< one of device_names()
  PrecisionChoice precision = PrecisionChoice::kAuto;
  DispatchKind dispatch = DispatchKind::kIndex;  ///< of patch networks
  /// Not given: on a GPU, and on the CPU for f32 only. With bf16 there it makes networks of some widths ten times
  /// slower (seen at 8 and 32).
  std::optional<bool> channels_last;
  int64_t threads = 0;          ///< 0: one per core. Results depend on it, so the run stores the number
  int64_t cores_shared_by = 0;  ///< `threads` is a share of the cores, among so many processes; 0: it was configured
  bool deterministic = false;   ///< LibTorch may use only algorithms that always give the same bits
  int64_t workers = 1;          ///< threads that prepare pictures ahead; 0: none. Results do not depend on it
};

/// The published recipe of a family (spec/cifar-heads.md, section 9; spec/patch-moe.md, sections 8 and 9).
TrainConfig published_training(const NetworkConfig& network);

/// Reads the table; keys that it lacks are as published. @throws std::runtime_error as Settings does
TrainConfig read_train_config(Settings train, const NetworkConfig& network);
/// @pre channels_last is settled
nlohmann::ordered_json train_json(const TrainConfig& config);

/// Where a run that is there already goes on. @param chosen  --device, which replaces train.device unless it is empty
/// @throws std::runtime_error as device_of() does
at::Device take_device(TrainConfig& config, const std::string& chosen, const World& world = {});

}  // namespace moefb::trainer

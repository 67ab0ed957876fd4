#include "trainer/data/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "moefb/image.h"

namespace moefb::trainer {
namespace {

constexpr int kHeight = 6;
constexpr int kWidth = 7;
constexpr size_t kValues = size_t(kHeight) * kWidth * 3;

/// Pictures in which every byte tells its place.
PictureSet numbered(int64_t n) {
  PictureSet set;
  set.height = kHeight;
  set.width = kWidth;
  set.pixels.resize(size_t(n) * kValues);
  set.labels.resize(size_t(n));
  for (size_t i = 0; i < set.pixels.size(); ++i) set.pixels[i] = uint8_t(1 + (i % kValues) * 2 + 17 * (i / kValues));
  return set;
}

Dataset with_constants() {
  Dataset dataset;
  std::copy_n(std::begin({0.4914f, 0.4822f, 0.4465f}), 3, dataset.mean);
  std::copy_n(std::begin({0.2470f, 0.2435f, 0.2616f}), 3, dataset.stddev);
  return dataset;
}

std::vector<int64_t> all_of(const PictureSet& set) {
  std::vector<int64_t> indices(size_t(set.size()));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

std::vector<float> batch_of(const PictureSet& set, const std::vector<int64_t>& indices, const AugmentConfig& augment,
                            uint64_t seed = 1, int64_t epoch = 0) {
  std::vector<float> planes(indices.size() * set.picture_bytes());
  make_batch(set, indices, with_constants(), augment, seed, epoch, planes);
  return planes;
}

struct Move {
  int top = 0;
  int left = 0;
  bool flip = false;
  auto operator<=>(const Move&) const = default;
};

/// The definition, written out: pad the picture, cut the crop out, mirror it, normalise it.
std::vector<float> by_definition(const PictureSet& set, int64_t index, const AugmentConfig& augment, const Move& move) {
  const int pad = augment.crop_padding;
  const int padded_width = kWidth + 2 * pad;
  const int padded_height = kHeight + 2 * pad;
  std::vector<uint8_t> padded(size_t(padded_width) * size_t(padded_height) * 3, 0);
  for (int y = 0; y < padded_height; ++y) {
    for (int x = 0; x < padded_width; ++x) {
      int row = y - pad;
      int column = x - pad;
      if (augment.reflect) {
        row = row < 0 ? -row : row >= kHeight ? 2 * kHeight - 2 - row : row;
        column = column < 0 ? -column : column >= kWidth ? 2 * kWidth - 2 - column : column;
      }
      if (row < 0 || row >= kHeight || column < 0 || column >= kWidth) continue;
      std::copy_n(set.picture(index).begin() + (row * kWidth + column) * 3, 3,
                  padded.begin() + (y * padded_width + x) * 3);
    }
  }
  const Dataset dataset = with_constants();
  std::vector<float> planes;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const int from = move.flip ? kWidth - 1 - x : x;
        const uint8_t value = padded[size_t(((move.top + y) * padded_width + move.left + from) * 3 + c)];
        planes.push_back((float(value) / 255.0f - dataset.mean[c]) / dataset.stddev[c]);
      }
    }
  }
  return planes;
}

/// Which move makes picture `index` look like this; nothing if none does.
std::optional<Move> move_behind(const PictureSet& set, int64_t index, const AugmentConfig& augment,
                                std::span<const float> planes) {
  for (int top = 0; top <= 2 * augment.crop_padding; ++top) {
    for (int left = 0; left <= 2 * augment.crop_padding; ++left) {
      for (const bool flip : {false, true}) {
        const Move move{top, left, flip};
        if (std::ranges::equal(by_definition(set, index, augment, move), planes)) return move;
      }
    }
  }
  return std::nullopt;
}

/// The moves behind a whole batch.
std::vector<Move> moves_of(const PictureSet& set, const AugmentConfig& augment, uint64_t seed, int64_t epoch) {
  const std::vector<float> planes = batch_of(set, all_of(set), augment, seed, epoch);
  std::vector<Move> moves;
  for (int64_t i = 0; i < set.size(); ++i) {
    const auto move = move_behind(set, i, augment, std::span(planes).subspan(size_t(i) * kValues, kValues));
    EXPECT_TRUE(move.has_value()) << "picture " << i << " is no crop of itself";
    moves.push_back(move.value_or(Move{}));
  }
  return moves;
}

TEST(MakeBatch, WithoutAugmentationOnlyNormalises) {
  const PictureSet set = numbered(3);
  const std::vector<float> planes = batch_of(set, {2, 0}, {});
  const std::vector<float> second = by_definition(set, 2, {}, {});
  const std::vector<float> zeroth = by_definition(set, 0, {}, {});
  EXPECT_TRUE(std::equal(second.begin(), second.end(), planes.begin()));
  EXPECT_TRUE(std::equal(zeroth.begin(), zeroth.end(), planes.begin() + kValues));
}

TEST(MakeBatch, EveryByteBecomesWhatTheRuntimeMakesOfIt) {
  PictureSet set;
  set.height = 16;
  set.width = 16;
  set.labels = {0};
  for (int value = 0; value < 256; ++value) set.pixels.insert(set.pixels.end(), 3, uint8_t(value));
  Preprocessing rule;
  rule.height = rule.width = 16;
  std::copy_n(with_constants().mean, 3, rule.mean);
  std::copy_n(with_constants().stddev, 3, rule.stddev);
  std::vector<float> expected(set.pixels.size());
  ASSERT_TRUE(normalize(set.pixels, rule, expected).ok());
  EXPECT_EQ(batch_of(set, {0}, {}), expected);
}

TEST(MakeBatch, CropAndMirrorAreThoseOfTheDefinition) {
  const PictureSet set = numbered(600);
  for (const bool reflect : {false, true}) {
    const AugmentConfig augment{2, reflect, true};
    const std::vector<Move> moves = moves_of(set, augment, 1, 0);
    EXPECT_EQ(std::set<Move>(moves.begin(), moves.end()).size(), 50u) << "25 crops, mirrored or not";
  }
}

TEST(MakeBatch, LargestPaddingStaysInsideThePicture) {
  const PictureSet set = numbered(200);
  for (const bool reflect : {false, true}) moves_of(set, {kHeight - 1, reflect, false}, 1, 0);
}

TEST(MakeBatch, MirrorsAboutHalfOfThePictures) {
  const std::vector<Move> moves = moves_of(numbered(1000), {0, false, true}, 1, 0);
  const auto mirrored = std::ranges::count_if(moves, [](const Move& move) { return move.flip; });
  EXPECT_NEAR(double(mirrored), 500, 5 * 15.8) << "more than 5 standard deviations of 15.8 off";
}

TEST(MakeBatch, AlternatingMirrorShowsBothViewsInTwoEpochs) {
  const PictureSet set = numbered(400);
  const AugmentConfig augment{2, false, true, true};
  const std::vector<Move> first = moves_of(set, augment, 1, 0);
  const std::vector<Move> second = moves_of(set, augment, 1, 1);
  const std::vector<Move> third = moves_of(set, augment, 1, 2);
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_NE(first[i].flip, second[i].flip) << "picture " << i;
    EXPECT_EQ(first[i].flip, third[i].flip) << "picture " << i;
  }
  const auto mirrored = std::ranges::count_if(first, [](const Move& move) { return move.flip; });
  EXPECT_NEAR(double(mirrored), 200, 5 * 10) << "more than 5 standard deviations of 10 off";
}

TEST(MakeBatch, AlternatingMirrorLeavesTheCropsAsTheyWere) {
  const PictureSet set = numbered(100);
  const std::vector<Move> drawn = moves_of(set, {2, false, true}, 1, 3);
  const std::vector<Move> alternating = moves_of(set, {2, false, true, true}, 1, 3);
  for (size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_EQ(drawn[i].top, alternating[i].top);
    EXPECT_EQ(drawn[i].left, alternating[i].left);
  }
}

TEST(MakeBatch, MirrorsNothingUnlessAsked) {
  for (const Move& move : moves_of(numbered(50), {2, false, false, true}, 1, 0)) EXPECT_FALSE(move.flip);
  for (const Move& move : moves_of(numbered(50), {2, false, false}, 1, 0)) EXPECT_FALSE(move.flip);
}

TEST(MakeBatch, PaddingIsBlackBeforeNormalising) {
  PictureSet set = numbered(40);
  std::ranges::fill(set.pixels, uint8_t{255});
  const std::vector<float> planes = batch_of(set, all_of(set), {2, false, false});
  const Dataset dataset = with_constants();
  for (size_t c = 0; c < 3; ++c) {
    const float black = (0.0f - dataset.mean[c]) / dataset.stddev[c];
    const float white = (1.0f - dataset.mean[c]) / dataset.stddev[c];
    std::set<float> found;
    for (size_t i = 0; i < planes.size(); ++i) {
      if (i % kValues / (kValues / 3) == c) found.insert(planes[i]);
    }
    EXPECT_EQ(found, (std::set<float>{black, white})) << "channel " << c;
  }
}

TEST(MakeBatch, DependsOnSeedEpochAndIndexOnly) {
  const PictureSet set = numbered(60);
  const AugmentConfig augment{2, false, true};
  EXPECT_EQ(moves_of(set, augment, 1, 3), moves_of(set, augment, 1, 3));
  EXPECT_NE(moves_of(set, augment, 1, 3), moves_of(set, augment, 1, 4));
  EXPECT_NE(moves_of(set, augment, 1, 3), moves_of(set, augment, 2, 3));
  const std::vector<float> alone = batch_of(set, {17}, augment);
  const std::vector<float> last = batch_of(set, {3, 5, 17}, augment);
  EXPECT_TRUE(std::equal(alone.begin(), alone.end(), last.begin() + 2 * kValues));
}

TEST(MakeBatch, TakesAnEmptyBatch) {
  EXPECT_TRUE(batch_of(numbered(1), {}, {}).empty());
}

TEST(MakeBatch, RefusesWrongRoomAndTooMuchPadding) {
  const PictureSet set = numbered(1);
  std::vector<float> planes(kValues - 1);
  EXPECT_THROW(make_batch(set, all_of(set), with_constants(), {}, 0, 0, planes), std::runtime_error);
  EXPECT_THROW(batch_of(set, {0}, {kHeight, false, false}), std::runtime_error);
  EXPECT_THROW(batch_of(set, {0}, {-1, false, false}), std::runtime_error);
}

TEST(CheckAugment, NamesTheOptionOutOfItsRange) {
  const auto refusal = [](auto change) {
    AugmentConfig augment;
    change(augment);
    try {
      check_augment(augment, 8, 8);
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_EQ(refusal([](auto&) {}), "");
  EXPECT_EQ(refusal([](auto& a) { a.crop_padding = 8; }), "augmentation: expected crop_padding from 0 to 7, found 8");
  EXPECT_EQ(refusal([](auto& a) { a.area_min = 0; }), "augmentation: expected crop_area_min from 0.0001 to 1, found 0");
  EXPECT_EQ(refusal([](auto& a) { a.area_max = 1.5; }),
            "augmentation: expected crop_area_max from 0.08 to 1, found 1.5");
  EXPECT_EQ(refusal([](auto& a) { a.aspect_max = 0.5; }),
            "augmentation: expected crop_aspect_max from 0.75 to 100, found 0.5");
  EXPECT_EQ(refusal([](auto& a) { a.grayscale = 2; }), "augmentation: expected grayscale from 0 to 1, found 2");
  EXPECT_EQ(refusal([](auto& a) { a.jitter.contrast = -1; }),
            "augmentation: expected jitter_contrast from 0 to 10, found -1");
  EXPECT_EQ(refusal([](auto& a) { a.jitter.hue = 0.6; }), "augmentation: expected jitter_hue from 0 to 0.5, found 0.6");
  EXPECT_EQ(refusal([](auto& a) { a.rand_augment_magnitude = 31; }),
            "augmentation: expected rand_augment_magnitude from 0 to 30, found 31");
  EXPECT_EQ(refusal([](auto& a) { a.erasing = -0.1; }), "augmentation: expected erasing from 0 to 1, found -0.1");
  EXPECT_EQ(refusal([](auto& a) { a.erase_area_max = 0.01; }),
            "augmentation: expected erase_area_max from 0.02 to 1, found 0.01");
}

TEST(MakeBatch, GrayscaleTakesTheColoursOfAsManyAsAsked) {
  const PictureSet set = numbered(2000);
  AugmentConfig augment;
  augment.grayscale = 0.1;
  Dataset plain;  // mean 0, deviation 1: equal bytes are equal values
  std::vector<float> planes(size_t(set.size()) * kValues);
  make_batch(set, all_of(set), plain, augment, 1, 0, planes);
  int grey = 0;
  for (size_t i = 0; i < planes.size(); i += kValues) {
    const float* red = &planes[i];
    grey += std::equal(red, red + kValues / 3, red + kValues / 3);
  }
  EXPECT_NEAR(grey, 200, 67);  // 5 deviations of 13
}

TEST(MakeBatch, ResizedCropOfTheWholePictureIsThePicture) {
  PictureSet set = numbered(3);
  AugmentConfig augment;
  augment.resized_crop = true;
  augment.area_min = augment.area_max = 1;
  augment.aspect_min = augment.aspect_max = double(kWidth) / kHeight;
  EXPECT_EQ(batch_of(set, all_of(set), augment), batch_of(set, all_of(set), {}));
}

TEST(MakeBatch, ErasingComesAfterNormalising) {
  const PictureSet set = numbered(200);
  AugmentConfig augment;
  augment.erasing = 1;
  const std::vector<float> erased = batch_of(set, all_of(set), augment);
  const std::vector<float> plain = batch_of(set, all_of(set), {});
  double sum = 0, squares = 0, count = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (erased[i] == plain[i]) continue;
    sum += erased[i];
    squares += double(erased[i]) * erased[i];
    ++count;
  }
  ASSERT_GT(count, 1000);
  EXPECT_NEAR(sum / count, 0, 0.16) << "5 deviations, whatever mean and stddev of the data set are";
  EXPECT_NEAR(squares / count, 1, 0.23);
}

TEST(MakeBatch, OneOptionDoesNotChangeWhatAnotherDraws) {
  const PictureSet set = numbered(50);
  AugmentConfig erasing;
  erasing.erasing = 1;
  AugmentConfig both = erasing;
  both.jitter = {0.4, 0.4, 0.4, 0.1};
  both.rand_augment_operations = 2;
  const std::vector<float> plain = batch_of(set, all_of(set), {});
  const std::vector<float> first = batch_of(set, all_of(set), erasing);
  const std::vector<float> second = batch_of(set, all_of(set), both);
  for (size_t i = 0; i < plain.size(); ++i) {
    if (first[i] == plain[i]) continue;
    ASSERT_EQ(second[i], first[i]) << "erased by the same noise";
  }
}

TEST(EpochOrder, IsAPermutationThatChangesWithSeedAndEpoch) {
  const std::vector<int64_t> order = epoch_order(1000, 1, 0);
  std::vector<int64_t> sorted = order;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) ASSERT_EQ(sorted[i], int64_t(i));
  EXPECT_NE(order, sorted);
  EXPECT_EQ(epoch_order(1000, 1, 0), order);
  EXPECT_NE(epoch_order(1000, 1, 1), order);
  EXPECT_NE(epoch_order(1000, 2, 0), order);
}

TEST(EpochOrder, EveryPictureComesFirstEquallyOften) {
  constexpr int kEpochs = 6000;
  std::vector<int> first(6);
  for (int epoch = 0; epoch < kEpochs; ++epoch) ++first[size_t(epoch_order(6, 1, epoch)[0])];
  for (const int count : first) EXPECT_NEAR(count, 1000, 5 * 29) << "more than 5 standard deviations of 29 off";
}

TEST(EpochOrder, TakesNoneAndOne) {
  EXPECT_TRUE(epoch_order(0, 1, 0).empty());
  EXPECT_EQ(epoch_order(1, 1, 0), std::vector<int64_t>{0});
}

}  // namespace
}  // namespace moefb::trainer

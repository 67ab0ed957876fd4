// Files that must be refused, and files damaged at random: whatever the bytes, a Status or a whole picture.
#include <filesystem>

#include "runtime/image/pictures.h"

namespace moefb::test {
namespace {

// Small pictures that are whole: everything in the folder but the few built to be large.
std::vector<std::string> whole_pictures() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(picture_path(""))) {
    const std::string name = entry.path().filename().string();
    const bool picture = entry.is_regular_file() && entry.path().extension() != ".py";
    if (picture && name != "bomb.png" && !name.starts_with("large_")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Code code_of(const Buffer& bytes) {
  return decode(bytes).status().code();
}

TEST(Damage, RefusesEmptyAndText) {
  EXPECT_EQ(code_of({}), Code::kCorruptFile);
  const std::string text = "This is not a picture, though it is long enough to be one.\n";
  EXPECT_EQ(code_of(Buffer(text.begin(), text.end())), Code::kCorruptFile);
}

TEST(Damage, RefusesSignaturesAlone) {
  for (const char* signature : {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF89a", "GIF87a", "BM"}) {
    const std::string text = signature;
    EXPECT_EQ(code_of(Buffer(text.begin(), text.end())), Code::kCorruptFile) << text;
  }
}

TEST(Damage, RefusesEveryTruncation) {
  const std::vector<std::string> names = whole_pictures();
  ASSERT_GE(names.size(), 30u);
  for (const std::string& name : names) {
    if (name.ends_with(".gif")) continue;  // below
    const Buffer whole = read_picture(name);
    ASSERT_TRUE(decode(whole).ok()) << name;
    for (size_t length = 0; length < whole.size(); ++length) {
      const Status status = decode(std::span(whole).first(length)).status();
      ASSERT_EQ(status.code(), Code::kCorruptFile) << name << " cut to " << length << ": " << describe(status);
    }
  }
}

// A GIF that ends between two blocks behind its first image is answered: encoders that leave the trailer out exist.
TEST(Damage, RefusesEveryTruncationOfAGifInsideABlock) {
  const std::pair<const char*, int> files[] = {{"palette.gif", 1}, {"interlaced.gif", 1}, {"animated.gif", 3}};
  for (const auto& [name, ends_between_blocks] : files) {
    const Buffer whole = read_picture(name);
    const Image picture = decoded(whole);
    int answered = 0;
    for (size_t length = 0; length < whole.size(); ++length) {
      const Result<Image> image = decode(std::span(whole).first(length));
      if (!image.ok()) {
        ASSERT_EQ(image.status().code(), Code::kCorruptFile) << name << " cut to " << length;
        continue;
      }
      ASSERT_TRUE(std::ranges::equal(image->bytes(), picture.bytes())) << name << " cut to " << length;
      ++answered;
    }
    EXPECT_EQ(answered, ends_between_blocks) << name;
  }
}

// A copy of a picture whose header says width x height.
Buffer with_size(const std::string& name, uint32_t width, uint32_t height) {
  Buffer bytes = read_picture(name);
  if (name.ends_with("png")) {
    put_be(bytes, 16, 4, width);
    put_be(bytes, 20, 4, height);
    repair_png(bytes);
  } else if (name.ends_with("bmp")) {
    put_le(bytes, 18, 4, width);
    put_le(bytes, 22, 4, height);
  } else if (name.ends_with("gif")) {
    put_le(bytes, 6, 2, width);
    put_le(bytes, 8, 2, height);
  } else {
    const size_t frame = find_marker(bytes, name == "progressive.jpg" ? 0xC2 : 0xC0);
    put_be(bytes, frame + 5, 2, height);
    put_be(bytes, frame + 7, 2, width);
  }
  return bytes;
}

TEST(Damage, RefusesHeadersThatLie) {
  for (const char* name : {"rgb8.png", "rgb8_interlaced.png", "grey1.png", "rgb24.bmp", "palette1.bmp", "palette.gif",
                           "baseline.jpg", "progressive.jpg", "restarts.jpg", "grey.jpg"}) {
    EXPECT_EQ(code_of(with_size(name, 8000, 8000)), Code::kCorruptFile) << name;
    EXPECT_EQ(code_of(with_size(name, 0, 16)), Code::kCorruptFile) << name;
    EXPECT_EQ(code_of(with_size(name, 24, 0)), Code::kCorruptFile) << name;
  }
}

TEST(Damage, RefusesMoreThanTheMostPixels) {
  for (const char* name : {"rgb8.png", "rgb24.bmp", "palette.gif", "baseline.jpg", "progressive.jpg"}) {
    const Status status = decode(with_size(name, 8193, 8192)).status();
    EXPECT_EQ(status.code(), Code::kUnsupported) << name;
    EXPECT_EQ(status.found(), 8193 * 8192) << name;
    EXPECT_EQ(status.expected(), kMaxPixels) << name;
  }
}

TEST(Damage, RefusesSidesWhoseProductOverflows) {
  EXPECT_EQ(code_of(with_size("rgb8.png", 0xFFFFFFFF, 0xFFFFFFFF)), Code::kCorruptFile);
  EXPECT_EQ(code_of(with_size("rgb24.bmp", 0x7FFFFFFF, 0x80000000)), Code::kCorruptFile);
}

TEST(Damage, RefusesGifFrameThatLies) {
  Buffer bytes = with_size("palette.gif", 8000, 8000);
  const uint8_t frame[] = {0x2C, 0, 0, 0, 0, kSceneWidth, 0, kSceneHeight, 0};
  const auto found = std::search(bytes.begin(), bytes.end(), std::begin(frame), std::end(frame));
  ASSERT_NE(found, bytes.end());
  const size_t at = size_t(found - bytes.begin());
  put_le(bytes, at + 5, 2, 8000);
  put_le(bytes, at + 7, 2, 8000);
  EXPECT_EQ(code_of(bytes), Code::kCorruptFile);
}

TEST(Damage, RefusesDataThatUnpacksFarBeyondItsHeader) {
  const Status status = decode(read_picture("bomb.png")).status();
  EXPECT_EQ(status.code(), Code::kCorruptFile) << describe(status);
}

TEST(Damage, RefusesAnyFlippedBitOfAPng) {
  const Buffer whole = read_picture("palette4.png");
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Buffer bytes = whole;
    bytes[bit / 8] ^= uint8_t(1u << bit % 8);
    ASSERT_FALSE(decode(bytes).ok()) << "bit " << bit;
  }
}

TEST(Damage, RefusesJpegWithoutItsRestartMarkers) {
  Buffer bytes = read_picture("restarts.jpg");
  const size_t restart = find_marker(bytes, 0xD0);
  ASSERT_LT(restart, bytes.size());
  bytes.erase(bytes.begin() + int64_t(restart), bytes.begin() + int64_t(restart) + 2);
  EXPECT_EQ(code_of(bytes), Code::kCorruptFile);
}

// stb_image would write beyond its table.
TEST(Damage, RefusesHuffmanTableWithTooManyCodes) {
  Buffer bytes = read_picture("baseline.jpg");
  const size_t table = find_marker(bytes, 0xC4);
  ASSERT_LT(table + 21, bytes.size());
  std::fill_n(bytes.begin() + int64_t(table) + 5, 16, uint8_t{255});
  EXPECT_EQ(code_of(bytes), Code::kCorruptFile);
}

// Bits as a JPEG stores them: a byte 0xFF is followed by 0, the last byte is filled up with ones.
Buffer stuffed(const std::string& bits) {
  Buffer bytes;
  for (size_t at = 0; at < bits.size(); at += 8) {
    unsigned byte = 0;
    for (size_t i = at; i < at + 8; ++i) byte = byte << 1 | (i >= bits.size() || bits[i] == '1');
    bytes.push_back(uint8_t(byte));
    if (byte == 255) bytes.push_back(0);
  }
  return bytes;
}

// Each block adds 32767 to the DC value: after 65,538 of them the sum leaves the range of an int, which is why
// stb_decoder.cpp is built with -fwrapv. Under UBSan this test fails without it.
TEST(Damage, DcValuesBeyondAnIntAreHarmless) {
  constexpr int kSide = 2064;
  std::string bits;
  for (int block = 0; block < (kSide / 8) * (kSide / 8); ++block) bits += "0" + std::string(15, '1') + "0";
  const Image image = decoded(grey_jpeg(kSide, 65535, 15, stuffed(bits)));
  EXPECT_EQ(image.width, kSide);
  EXPECT_EQ(image.height, kSide);
}

// xorshift64: the same changes on every machine.
class Random {
 public:
  size_t below(size_t n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return size_t(state_ % n);
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15u;
};

void mutate(Buffer& bytes, Random& random) {
  const uint8_t favourites[] = {0, 1, 0x7F, 0x80, 0xFF};
  for (size_t changes = 1 + random.below(4); changes > 0; --changes) {
    const size_t at = random.below(bytes.size());
    switch (random.below(5)) {
      case 0:
        bytes[at] ^= uint8_t(1u << random.below(8));
        break;
      case 1:
        bytes[at] = favourites[random.below(5)];
        break;
      case 2:
        bytes[at] = uint8_t(random.below(256));
        break;
      case 3:
        bytes.insert(bytes.begin() + int64_t(at), uint8_t(random.below(256)));
        break;
      case 4:
        if (bytes.size() > 1) bytes.erase(bytes.begin() + int64_t(at));
        break;
    }
  }
}

// Damage that hits pixel data alone may give a picture, then of the size it says; everything else a cause.
TEST(Damage, RandomChangesGiveAStatusOrAWholePicture) {
  constexpr int kChangesPerPicture = 250;
  Random random;
  int answered = 0;
  int refused = 0;
  for (const std::string& name : whole_pictures()) {
    const Buffer whole = read_picture(name);
    for (int i = 0; i < kChangesPerPicture; ++i) {
      Buffer bytes = whole;
      mutate(bytes, random);
      if (name.ends_with(".png")) repair_png(bytes);
      const Result<Image> image = decode(bytes);
      if (!image.ok()) {
        const Code code = image.status().code();
        ASSERT_TRUE(code == Code::kCorruptFile || code == Code::kUnsupported)
            << name << ": " << describe(image.status());
        ++refused;
        continue;
      }
      ASSERT_GE(image->width, 1) << name;
      ASSERT_GE(image->height, 1) << name;
      ASSERT_LE(int64_t(image->width) * image->height, kMaxPixels) << name;
      unsigned sum = 0;  // reads every byte, so that a sanitizer sees a picture smaller than it says
      for (uint8_t byte : image->bytes()) sum += byte;
      ASSERT_LE(sum, 255u * image->bytes().size()) << name;
      ++answered;
    }
  }
  EXPECT_GT(answered, 500);
  EXPECT_GT(refused, 2000);
}

}  // namespace
}  // namespace moefb::test

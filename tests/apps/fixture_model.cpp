#include "apps/fixture_model.h"

#include <cstdint>
#include <fstream>
#include <random>
#include <stdexcept>

#include "apps/process.h"

namespace moefb::testing {
namespace {

void append_little_endian(std::string& bytes, uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

/// A 24-bit BMP: the picture format that takes the fewest lines to write.
std::string random_bmp(int width, int height, unsigned seed) {
  const int row_bytes = (width * 3 + 3) / 4 * 4;
  const uint32_t pixel_bytes = uint32_t(row_bytes) * uint32_t(height);
  std::string bytes = "BM";
  append_little_endian(bytes, 54 + pixel_bytes, 4);
  append_little_endian(bytes, 0, 4);
  append_little_endian(bytes, 54, 4);
  append_little_endian(bytes, 40, 4);
  append_little_endian(bytes, uint32_t(width), 4);
  append_little_endian(bytes, uint32_t(height), 4);
  append_little_endian(bytes, 1, 2);
  append_little_endian(bytes, 24, 2);
  for (uint32_t field : {0u, pixel_bytes, 2835u, 2835u, 0u, 0u}) append_little_endian(bytes, field, 4);
  std::mt19937 random(seed);
  for (uint32_t i = 0; i < pixel_bytes; ++i) bytes.push_back(static_cast<char>(random() & 0xff));
  return bytes;
}

}  // namespace

FixtureModel::FixtureModel(const std::string& fixture, const nlohmann::json& overrides) {
  const std::string source = std::string(MOEFB_TEST_DATA "/golden/") + fixture;
  std::ifstream file(source + "/config.json");
  nlohmann::json config = nlohmann::json::parse(file);
  config.update(overrides);
  const std::string config_path = write_text("config.json", config.dump());
  const Outcome converted =
      run({MOEFB_CONVERT, source + "/state_dict.safetensors", "--config", config_path, "-o", this->file()});
  if (converted.exit_code != 0) throw std::runtime_error("convert " + fixture + ": " + converted.err);
  io_ = safetensors::read(source + "/io.safetensors");
}

std::string FixtureModel::write_input(const safetensors::Tensor& input) const {
  safetensors::write(path("x.safetensors"), {{{"input", input}}, {}});
  return path("x.safetensors");
}

std::string FixtureModel::write_picture(const std::string& name, int width, int height, unsigned seed) const {
  return write_text(name, random_bmp(width, height, seed));
}

std::string FixtureModel::write_text(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
  return path(name);
}

}  // namespace moefb::testing

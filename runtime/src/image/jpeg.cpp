// JPEG: segments to the end marker, tables that decode, and enough coded data in every scan for the size.
//
// Source: ITU-T T.81. A Huffman code is at least one bit long, so a block costs at least two bits in a sequential scan
// (its DC value and the end of its block) and one in a progressive scan of DC values: a few bytes cannot claim a large
// picture, while a uniform one of 8000x8000 passes.
#include <algorithm>

#include "image/exif.h"
#include "image/formats.h"

namespace moefb::image {
namespace {

enum Marker : uint8_t {
  kBaseline = 0xC0,
  kProgressive = 0xC2,
  kHuffmanTables = 0xC4,
  kLastFrame = 0xCF,
  kFirstRestart = 0xD0,
  kLastRestart = 0xD7,
  kEnd = 0xD9,
  kScan = 0xDA,
  kQuantTables = 0xDB,
  kRestartInterval = 0xDD,
  kExif = 0xE1,
  kAdobe = 0xEE,
};

// Each scan is a pass over the picture and may cost but a few bytes. Encoders write about ten.
constexpr int kMaxScans = 256;

struct Component {
  int id = 0;
  int h = 1;  // sampling factors
  int v = 1;
  bool has_dc = false;  // a scan brought its DC values
};

struct CodedData {
  int64_t bytes = 0;
  int64_t restarts = 0;
};

int64_t ceil_div(int64_t a, int64_t b) noexcept {
  return (a + b - 1) / b;
}

Status damaged(const char* text, const Cursor& in) noexcept {
  return Status(Code::kCorruptFile, text).at(int64_t(in.position()));
}

// Passes the data behind a scan header; `in` is then at the marker that ends it.
CodedData skip_coded_data(Cursor& in) noexcept {
  CodedData data;
  for (;;) {
    const size_t start = in.position();
    in.find(0xFF);
    data.bytes += int64_t(in.position() - start);
    const Cursor at_marker = in;
    uint8_t marker = 0xFF;
    while (marker == 0xFF && in.ok()) marker = in.u8();
    if (!in.ok()) return data;
    if (marker == 0) {
      ++data.bytes;  // a stuffed byte of value 0xFF
    } else if (marker >= kFirstRestart && marker <= kLastRestart) {
      ++data.restarts;
    } else {
      in = at_marker;
      return data;
    }
  }
}

class JpegWalker {
 public:
  explicit JpegWalker(Bytes file) noexcept : in_(file) { in_.skip(2); }

  Result<Header> walk() noexcept {
    for (;;) {
      const uint8_t marker = next_marker();
      if (!in_.ok()) return cut_short(in_.position());
      if (marker == kEnd) break;
      MOEFB_TRY(segment(marker));
    }
    MOEFB_TRY(check_complete());
    return header_;
  }

 private:
  uint8_t next_marker() noexcept {
    in_.find(0xFF);
    uint8_t marker = in_.u8();
    while (marker == 0xFF && in_.ok()) marker = in_.u8();
    return marker;
  }

  Status segment(uint8_t marker) noexcept {
    const size_t length = in_.u16be();
    if (in_.ok() && length < 2) return damaged("JPEG: segment has no length", in_);
    Cursor body(in_.bytes(length - 2));
    if (!in_.ok()) return cut_short(in_.position());
    switch (marker) {
      case kHuffmanTables:
        return huffman_tables(body);
      case kQuantTables:
        return quant_tables(body);
      case kRestartInterval:
        restart_interval_ = body.u16be();
        return body.ok() ? Status() : damaged("JPEG: restart interval is not valid", in_);
      case kScan:
        return scan(body);
      case kExif:
        exif(body);
        return Status();
      case kAdobe:
        adobe_ = adobe_ || (body.left() >= 12 && body.u32be() == 0x41646F62);  // "Adob"
        return Status();
    }
    return marker >= kBaseline && marker <= kLastFrame ? frame(marker, body) : Status();
  }

  void exif(Cursor body) noexcept {
    const bool exif = body.u32be() == 0x45786966 && body.u16be() == 0;  // "Exif\0\0"
    if (exif) header_.orientation = exif_orientation(body.bytes(body.left()));
  }

  Status frame(uint8_t marker, Cursor body) noexcept {
    if (marker > kProgressive) return Status(Code::kUnsupported, "JPEG: arithmetic or lossless coding is not read");
    if (!components_.empty()) return damaged("JPEG: has two frames", in_);
    progressive_ = marker == kProgressive;
    const int bits = body.u8();
    header_.height = body.u16be();
    header_.width = body.u16be();
    const size_t count = body.u8();
    if (!body.ok() || (count != 1 && count != 3 && count != 4) || body.left() != 3 * count) {
      return damaged("JPEG: frame header is not valid", in_);
    }
    if (bits != 8) return Status(Code::kUnsupported, "JPEG: only 8 bits a sample are read").values(bits, 8);
    MOEFB_TRY(check_size(header_.width, header_.height));
    components_ = std::span(storage_).first(count);
    for (Component& component : components_) MOEFB_TRY(read_component(body, component));
    return Status();
  }

  Status read_component(Cursor& body, Component& component) noexcept {
    component.id = body.u8();
    const int sampling = body.u8();
    const int table = body.u8();
    component.h = sampling >> 4;
    component.v = sampling & 15;
    const auto valid = [](int factor) { return factor >= 1 && factor <= 4; };
    if (!valid(component.h) || !valid(component.v) || table > 3) return damaged("JPEG: component is not valid", in_);
    h_max_ = std::max(h_max_, component.h);
    v_max_ = std::max(v_max_, component.v);
    return Status();
  }

  Status quant_tables(Cursor body) noexcept {
    while (body.left() > 0) {
      const int kind = body.u8();
      body.skip((kind >> 4) ? 128 : 64);
      if (!body.ok() || (kind >> 4) > 1 || (kind & 15) > 3) {
        return damaged("JPEG: quantisation table is not valid", in_);
      }
      quant_defined_ |= 1u << (kind & 15);
    }
    return Status();
  }

  // stb_image trusts the number of codes: more than 256, or more than fit their lengths, would spoil its memory.
  Status huffman_tables(Cursor body) noexcept {
    while (body.left() > 0) {
      const int kind = body.u8();
      int codes = 0;
      int space = 1 << 16;  // each code of length n takes 2^(16-n) of it
      for (int length = 1; length <= 16; ++length) {
        const int count = body.u8();
        codes += count;
        space -= count << (16 - length);
      }
      body.skip(size_t(codes));
      if (!body.ok() || codes > 256 || space < 0 || (kind >> 4) > 1 || (kind & 15) > 3) {
        return damaged("JPEG: Huffman table is not valid", in_);
      }
      huffman_defined_[kind >> 4] |= 1u << (kind & 15);
    }
    return Status();
  }

  Status scan(Cursor body) noexcept {
    if (components_.empty()) return damaged("JPEG: scan before the frame header", in_);
    if (++scans_ > kMaxScans) return Status(Code::kUnsupported, "JPEG: too many scans").values(scans_, kMaxScans);
    const int count = body.u8();
    if (count < 1 || count > int(components_.size()) || body.left() != size_t(2 * count + 3)) {
      return damaged("JPEG: scan header is not valid", in_);
    }
    Component* chosen[4] = {};
    uint32_t tables[2] = {};  // used for DC and AC, one bit each
    for (int i = 0; i < count; ++i) {
      const int id = body.u8();
      const int table = body.u8();
      chosen[i] = find(id);
      if (!chosen[i]) return damaged("JPEG: scan of an unknown component", in_);
      tables[0] |= 1u << (table >> 4);
      tables[1] |= 1u << (table & 15);
    }
    const int first = body.u8();
    body.skip(1);  // last coefficient
    const int refines = body.u8() >> 4;
    const bool dc = first == 0;
    if (((!progressive_ || (dc && refines == 0)) && missing(0, tables)) ||
        ((!progressive_ || !dc) && missing(1, tables))) {
      return damaged("JPEG: scan uses a Huffman table that is not defined", in_);
    }
    for (Component* component : std::span(chosen).first(size_t(count))) {
      component->has_dc = component->has_dc || (dc && refines == 0);
    }
    return check_data({chosen, size_t(count)}, progressive_ ? int64_t(dc) : 2);
  }

  bool missing(int kind, const uint32_t* used) const noexcept { return (used[kind] & ~huffman_defined_[kind]) != 0; }

  Component* find(int id) noexcept {
    for (Component& component : components_) {
      if (component.id == id) return &component;
    }
    return nullptr;
  }

  // The coded data of one scan: long enough, with all restart markers that its interval asks for.
  Status check_data(std::span<Component* const> chosen, int64_t bits_per_block) noexcept {
    int64_t units = ceil_div(header_.width, 8 * h_max_) * ceil_div(header_.height, 8 * v_max_);
    int64_t blocks = 0;
    if (chosen.size() == 1) {  // not interleaved: the padding blocks of other components are left out
      units = ceil_div(ceil_div(header_.width * chosen[0]->h, h_max_), 8) *
              ceil_div(ceil_div(header_.height * chosen[0]->v, v_max_), 8);
      blocks = units;
    } else {
      for (const Component* component : chosen) blocks += units * component->h * component->v;
    }
    const CodedData data = skip_coded_data(in_);
    if (!in_.ok()) return cut_short(in_.position());
    const int64_t needed = ceil_div(blocks * bits_per_block, 8);
    if (data.bytes < needed) {
      return damaged("JPEG: too little data for the size in its header", in_).values(data.bytes, needed);
    }
    const int64_t restarts = restart_interval_ ? ceil_div(units, restart_interval_) - 1 : 0;
    if (data.restarts < restarts) {
      return damaged("JPEG: parts of the picture are missing", in_).values(data.restarts, restarts);
    }
    return Status();
  }

  Status check_complete() const noexcept {
    if (components_.empty()) return damaged("JPEG: holds no picture", in_);
    for (const Component& component : components_) {
      if (!component.has_dc) return damaged("JPEG: a component has no data", in_);
    }
    if (quant_defined_ == 0) return damaged("JPEG: has no quantisation table", in_);
    if (components_.size() == 4 && !adobe_) {
      return Status(Code::kUnsupported, "JPEG: four components without a mark that tells their colours");
    }
    return Status();
  }

  Cursor in_;
  Header header_;
  Component storage_[4];
  std::span<Component> components_;  // in storage_; empty before the frame header
  int h_max_ = 1;
  int v_max_ = 1;
  int scans_ = 0;
  int64_t restart_interval_ = 0;
  uint32_t huffman_defined_[2] = {};  // DC, AC; one bit a table
  uint32_t quant_defined_ = 0;
  bool progressive_ = false;
  bool adobe_ = false;
};

}  // namespace

Result<Header> inspect_jpeg(Bytes file) noexcept {
  return JpegWalker(file).walk();
}

}  // namespace moefb::image

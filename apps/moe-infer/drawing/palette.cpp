// The first seven are those of Okabe and Ito (2008), made for all kinds of colour vision, ordered so that the first few
// differ most. The other nine were searched for: a hill climb in OKLab that raised the smallest distance between any
// two colours as seen with normal, protan, deutan and tritan vision (Machado et al. 2009). palette_test.cpp measures
// it.
#include "apps/moe-infer/drawing/palette.h"

namespace moefb::drawing {
namespace {

constexpr Colour kPalette[kPaletteSize] = {
    {0x00, 0x72, 0xb2}, {0xe6, 0x9f, 0x00}, {0x56, 0xb4, 0xe9}, {0xf0, 0xe4, 0x42},
    {0x00, 0x9e, 0x73}, {0xcc, 0x79, 0xa7}, {0xd5, 0x5e, 0x00}, {0x8b, 0x0f, 0x49},
    {0xae, 0xf1, 0xbb}, {0x94, 0x77, 0xfc}, {0x5c, 0x2f, 0x95}, {0x84, 0x50, 0x11},
    {0x95, 0xc7, 0x8a}, {0xab, 0x3f, 0x84}, {0x76, 0xdb, 0xf3}, {0x37, 0x4d, 0xc6}};

}  // namespace

Colour expert_colour(int expert) {
  return kPalette[expert % kPaletteSize];
}

Colour ink_on(Colour background) {
  return luma(background) > 140 ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

}  // namespace moefb::drawing

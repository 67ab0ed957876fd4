// Colours to paint with.
#pragma once

namespace moefb::trainer {

/// Channels from 0 to 1.
struct Colour {
  float red = 0;
  float green = 0;
  float blue = 0;
};

inline constexpr Colour kBlack{0, 0, 0};
inline constexpr Colour kWhite{1, 1, 1};

/// From a (share 0) to b (share 1).
Colour mix(Colour a, Colour b, float share);

float brightness(Colour colour);

/// How far apart two colours look, 0 to 1: channels weighted by their share in brightness.
float contrast(Colour a, Colour b);

}  // namespace moefb::trainer

// Cubic convolution: R. Keys, "Cubic convolution interpolation for digital image processing" (1981).
#pragma once

namespace rill {

inline constexpr double kKeysA = -0.75, kKeysAntialias = -0.5;  // of interpolation, of filters against aliasing

/// Weights of an element at distance d: near for d <= 1, far for 1 <= d <= 2. V is a number or a tensor.
template <class V> V cubic_near(const V& d, double a = kKeysA) { return ((a + 2) * d - (a + 3)) * d * d + 1; }
template <class V> V cubic_far(const V& d, double a = kKeysA) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; }

}  // namespace rill

// The sizes of a convolution, whatever its rank.
#pragma once

#include <algorithm>

#include "backends/api/kernels/conv.h"

namespace rill::cpu {

/// One image of a convolution with three spatial axes (missing ones have size 1).
struct Images {
  using Int = std::int64_t;
  Int n, channels, filters, groups;      // channels and filters of one group
  Int in[3], out[3], kernel[3], stride[3], dilation[3], before[3];
  Int in_stride[3], x_image, x_channel;  // strides of x
  Int positions, taps;                   // product of out, of kernel
  Int element;                           // bytes
  Int rows() const { return channels * taps; }

  Images(const View& x, const View& y, const WindowGeometry& g)
      : n(x.sizes[0]), channels(x.sizes[1] / g.groups), filters(y.sizes[1] / g.groups), groups(g.groups), x_image(x.strides[0]), x_channel(x.strides[1]), positions(1), taps(1),
        element(static_cast<Int>(size_of(x.dtype))) {
    for (int i = 0; i < 3; ++i) in[i] = out[i] = kernel[i] = stride[i] = dilation[i] = 1, before[i] = in_stride[i] = 0;
    for (int i = 0; i < g.axes; ++i) {
      const int a = 3 - g.axes + i;
      in[a] = x.sizes[2 + i], out[a] = y.sizes[2 + i], in_stride[a] = x.strides[2 + i];
      kernel[a] = g.kernel[i], stride[a] = g.stride[i], dilation[a] = g.dilation[i], before[a] = g.before[i];
    }
    for (int a = 0; a < 3; ++a) positions *= out[a], taps *= kernel[a];
  }
  /// Output positions of axis a whose input position at kernel position k lies inside: [first, last).
  void inside(int a, Int k, Int& first, Int& last) const {
    const Int shift = dilation[a] * k - before[a];  // input position = stride p + shift
    first = shift >= 0 ? 0 : (-shift + stride[a] - 1) / stride[a];
    last = in[a] - shift <= 0 ? 0 : (in[a] - shift + stride[a] - 1) / stride[a];
    first = std::min(first, out[a]), last = std::clamp(last, first, out[a]);
  }
};

}  // namespace rill::cpu

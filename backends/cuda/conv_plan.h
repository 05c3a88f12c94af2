// What a convolution looks like to cuDNN: operands of one format, at least two spatial axes, and the same padding on both sides. Free of CUDA.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "backends/api/format.h"
#include "backends/api/kernels/conv.h"

namespace rill::cuda {

/// Where one side of a convolution is padded more than the other, the input is copied into a larger one of zeros (`padded`), or cropped.
struct ConvPlan {
  int axes;                         // 2 or 3
  std::vector<int> x, w, y;         // sizes as cuDNN gets them
  std::vector<int> pad, stride, dilation;
  int groups;
  bool last;                        // channels are innermost: one of the activations has no other way to lie in memory
  bool padded = false;
  std::vector<std::int64_t> before; // per given axis: where the input begins in the padded one
  std::vector<std::int64_t> shape;  // [N, C, ..] of the padded input, with the given axes

  ConvPlan(const View& in, const View& weight, const View& out, const WindowGeometry& g) : axes(std::max(g.axes, 2)), groups(static_cast<int>(g.groups)), last(!has_format(in, false) || !has_format(out, false)) {
    const auto size = [](std::int64_t n) { return static_cast<int>(n); };
    shape = {in.sizes[0], in.sizes[1]};
    for (int a = 0; a < g.axes; ++a) {
      const std::int64_t fits = (out.sizes[2 + a] - 1) * g.stride[a] + g.dilation[a] * (g.kernel[a] - 1) + 1;  // what the windows cover
      const std::int64_t even = in.sizes[2 + a] + 2 * g.before[a];
      padded |= even < fits || (even - fits) / g.stride[a] > 0;  // cuDNN would find another number of positions
      before.push_back(g.before[a]);
      shape.push_back(fits);
    }
    x = {size(in.sizes[0]), size(in.sizes[1])}, w = {size(weight.sizes[0]), size(weight.sizes[1])}, y = {size(out.sizes[0]), size(out.sizes[1])};
    for (int a = g.axes; a < axes; ++a) x.push_back(1), w.push_back(1), y.push_back(1), pad.push_back(0), stride.push_back(1), dilation.push_back(1);
    for (int a = 0; a < g.axes; ++a) {
      x.push_back(size(padded ? shape[static_cast<std::size_t>(2 + a)] : in.sizes[2 + a]));
      w.push_back(size(weight.sizes[2 + a])), y.push_back(size(out.sizes[2 + a]));
      pad.push_back(padded ? 0 : size(g.before[a])), stride.push_back(size(g.stride[a])), dilation.push_back(size(g.dilation[a]));
    }
  }

  /// The strides of an operand of such sizes, as cuDNN gets them.
  template <class Int> std::vector<Int> strides(const std::vector<int>& sizes) const {
    std::vector<Int> steps(sizes.size());
    Int step = 1;
    const auto place = [&](std::size_t a) { steps[a] = step, step *= static_cast<Int>(sizes[a]); };
    if (last) place(1);
    for (std::size_t a = sizes.size(); a-- > 0;)
      if (!last || a != 1) place(a);
    return steps;
  }

  /// Calls f(the part of the padded input, the part of the input) for two views of the same elements.
  template <class F> void with_common_part(const View& large, const View& in, const F& f) const {
    std::array<std::int64_t, 5> sizes{in.sizes[0], in.sizes[1]};
    auto* from = static_cast<char*>(in.data);
    auto* to = static_cast<char*>(large.data);
    const auto bytes = static_cast<std::int64_t>(size_of(in.dtype));
    std::int64_t numel = sizes[0] * sizes[1];
    for (std::size_t a = 0; a < before.size(); ++a) {
      const std::int64_t b = before[a], first = std::max<std::int64_t>(0, -b), last = std::min(in.sizes[2 + a], large.sizes[2 + a] - b);
      sizes[2 + a] = std::max<std::int64_t>(0, last - first);
      from += first * in.strides[2 + a] * bytes, to += std::max<std::int64_t>(0, b) * large.strides[2 + a] * bytes;
      numel *= sizes[2 + a];
    }
    if (numel > 0) f(View{to, large.dtype, in.rank, sizes.data(), large.strides, numel, false}, View{from, in.dtype, in.rank, sizes.data(), in.strides, numel, false});
  }
};

}  // namespace rill::cuda

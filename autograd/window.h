// Windows that slide over spatial axes: what convolutions and pools check and how their operands lie in memory.
#pragma once

#include <rill/ops/conv.h>

#include "backends/api/backend.h"
#include "lib/core/checked.h"

namespace rill {

/// Not row-major, but with channels innermost.
inline bool is_channels_last(const Tensor& t) {
  const int rank = impl(t).shape.rank();
  return !impl(t).contiguous && rank >= 3 && rank <= 5 && t.is_contiguous(MemoryFormat::channels_last);
}
inline MemoryFormat format_of(bool last) { return last ? MemoryFormat::channels_last : MemoryFormat::contiguous; }
/// The tensor in one of the two formats, copied when needed.
inline Tensor dense(const Tensor& t, bool last) { return t.contiguous(format_of(last)); }
inline Tensor make_dense(const Shape& shape, bool last, Dtype dtype, Device device) {
  return last ? make_strided(shape, channels_last_strides("empty", shape), dtype, device) : make_tensor(shape, dtype, device);
}

inline void check_count(const char* op, const char* option, const PerAxis& values, int axes) {
  check<ValueError>(values.count() == 1 || values.count() == axes, op, "{} has {} values; expected 1 or {}", option, values.count(), axes);
}

/// A window without groups; checks that kernel, stride and dilation are positive and padding is not negative.
inline WindowGeometry window(const char* op, int axes, const PerAxis& kernel, const PerAxis& stride, const PerAxis& padding, const PerAxis& dilation) {
  check_count(op, "kernel", kernel, axes), check_count(op, "stride", stride, axes), check_count(op, "padding", padding, axes), check_count(op, "dilation", dilation, axes);
  WindowGeometry w{axes, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, 1};
  for (int i = 0; i < axes; ++i) {
    check<ValueError>(kernel[i] >= 1, op, "kernel size {} must be at least 1", kernel[i]);
    check<ValueError>(stride[i] >= 1, op, "stride {} must be at least 1", stride[i]);
    check<ValueError>(dilation[i] >= 1, op, "dilation {} must be at least 1", dilation[i]);
    check<ValueError>(padding[i] >= 0, op, "padding {} must not be negative; crop with narrow() or pad()", padding[i]);
    w.kernel[i] = kernel[i], w.stride[i] = stride[i], w.dilation[i] = dilation[i], w.before[i] = padding[i];
  }
  return w;
}

/// Elements from the first to the last that a window touches on an axis.
inline std::int64_t window_reach(const char* op, const WindowGeometry& w, int axis) {
  return checked_add(op, checked_mul(op, w.dilation[axis], w.kernel[axis] - 1), 1);
}

}  // namespace rill

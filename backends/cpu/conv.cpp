// Convolutions of every dtype and rank: per image and group a product with the matrix of windows (im2col), which holds one row per
// (channel, kernel position) and one column per output position. float32 and bfloat16 go to oneDNN where it is built in; what
// is left of 16-bit floats is computed in float32 and rounded once.
#include "backends/cpu/conv.h"

#include <algorithm>
#include <cstring>

#include "backends/api/backend.h"
#include "backends/cpu/conv_gradient.h"
#include "backends/cpu/conv_images.h"
#include "backends/cpu/dtype_switch.h"
#include "backends/cpu/map.h"
#include "backends/cpu/onednn.h"
#include "backends/cpu/scratch.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

using Int = std::int64_t;
constexpr Int kGrain = 32 << 10;  // elements of the window matrix per task

/// Visits the runs of one row of the window matrix: f(input offset, column, count) for positions inside, in order of columns.
template <class F> void walk_row(const Images& m, Int row, F f) {
  const Int channel = row / m.taps, tap = row % m.taps;
  const Int k[3] = {tap / (m.kernel[1] * m.kernel[2]), tap / m.kernel[2] % m.kernel[1], tap % m.kernel[2]};
  Int first[3], last[3];
  for (int a = 0; a < 3; ++a) m.inside(a, k[a], first[a], last[a]);
  for (Int i = first[0]; i < last[0]; ++i)
    for (Int j = first[1]; j < last[1]; ++j) {
      if (first[2] == last[2]) return;
      const auto place = [&](int a, Int p) { return (m.stride[a] * p + m.dilation[a] * k[a] - m.before[a]) * m.in_stride[a]; };
      f(channel * m.x_channel + place(0, i) + place(1, j) + place(2, first[2]), (i * m.out[1] + j) * m.out[2] + first[2], last[2] - first[2]);
    }
}

template <class T> void gather_windows(const Images& m, const T* image, T* matrix) {
  parallel_for(m.rows(), std::max<Int>(1, kGrain / m.positions), [&](Int begin, Int end) {
    for (Int row = begin; row < end; ++row) {
      T* to = matrix + row * m.positions;
      std::memset(static_cast<void*>(to), 0, static_cast<std::size_t>(m.positions) * sizeof(T));
      const Int step = m.stride[2] * m.in_stride[2];
      walk_row(m, row, [&](Int from, Int column, Int count) {
        for (Int i = 0; i < count; ++i) to[column + i] = image[from + i * step];
      });
    }
  });
}

/// Adds the matrix back to the places its elements came from; channels are apart, the order inside one is fixed.
template <class T> void scatter_windows(const Images& m, const T* matrix, T* image) {
  parallel_for(m.channels, std::max<Int>(1, kGrain / std::max<Int>(1, m.positions * m.taps)), [&](Int begin, Int end) {
    const Int step = m.stride[2] * m.in_stride[2];
    for (Int row = begin * m.taps; row < end * m.taps; ++row)
      walk_row(m, row, [&](Int to, Int column, Int count) {
        for (Int i = 0; i < count; ++i) image[to + i * step] = static_cast<T>(image[to + i * step] + matrix[row * m.positions + column + i]);
      });
  });
}

void gather(const Images& m, const void* image, void* matrix) {
  switch (m.element) {
    case 1: return gather_windows(m, static_cast<const std::uint8_t*>(image), static_cast<std::uint8_t*>(matrix));
    case 2: return gather_windows(m, static_cast<const std::uint16_t*>(image), static_cast<std::uint16_t*>(matrix));
    case 4: return gather_windows(m, static_cast<const std::uint32_t*>(image), static_cast<std::uint32_t*>(matrix));
    default: return gather_windows(m, static_cast<const std::uint64_t*>(image), static_cast<std::uint64_t*>(matrix));
  }
}

void scatter(const Images& m, Dtype dtype, const void* matrix, void* image) {
  by_number(dtype, [&]<class T>(T) { scatter_windows(m, static_cast<const T*>(matrix), static_cast<T*>(image)); });
}

struct Matrix {
  Int sizes[2], strides[2];
  View view(void* data, Dtype dtype) const { return {data, dtype, 2, sizes, strides, sizes[0] * sizes[1], false}; }
};

void* at(const View& v, Int elements) { return static_cast<char*>(v.data) + elements * static_cast<Int>(size_of(v.dtype)); }

/// [channels of one group, positions] of image n.
Matrix planes(const View& y, const Images& m, Int channels) {
  return y.contiguous ? Matrix{{channels, m.positions}, {m.positions, 1}} : Matrix{{channels, m.positions}, {1, y.sizes[1]}};
}
Int plane_offset(const View& y, const Images& m, Int n, Int group) { return n * y.sizes[1] * m.positions + group * m.filters * (y.contiguous ? m.positions : 1); }

bool is_16bit(Dtype d) { return d == Dtype::float16 || d == Dtype::bfloat16; }
[[maybe_unused]] bool for_onednn(Dtype d) { return d == Dtype::float32 || d == Dtype::bfloat16; }

/// A dense operand in float32, in the same layout.
class Widened {
 public:
  Widened(const View& v, bool load) : memory_(v.data ? v.numel * 4 : 0), view_(v) {
    if (!v.data) return;
    view_.data = memory_.get(), view_.dtype = Dtype::float32;
    if (load) copy(v, view_);
  }
  const View& get() const { return view_; }

 private:
  Scratch memory_;
  View view_;
};

void conv(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& geometry) {
#ifdef RILL_WITH_ONEDNN
  if (for_onednn(x.dtype) && onednn_conv(x, w, b, y, geometry)) return;
#endif
  if (is_16bit(x.dtype)) {
    const Widened wide(y, false);
    conv(Widened(x, true).get(), Widened(w, true).get(), Widened(b, true).get(), wide.get(), geometry);
    return copy(wide.get(), y);
  }
  const Kernels& k = cpu_kernels();
  const Images m(x, y, geometry);
  const Scratch memory(m.rows() * m.positions * m.element);
  if (b.data) {
    const Strides strides = [&] {
      Strides s(y.rank, 0);
      s[1] = 1;
      return s;
    }();
    k.copy({b.data, b.dtype, y.rank, y.sizes, strides.data(), y.numel, false}, y);
  }
  const Matrix windows{{m.rows(), m.positions}, {m.positions, 1}}, filters{{m.filters, m.rows()}, {m.rows(), 1}}, out = planes(y, m, m.filters);
  for (Int n = 0; n < m.n; ++n)
    for (Int group = 0; group < m.groups; ++group) {
      if (m.rows()) gather(m, at(x, n * m.x_image + group * m.channels * m.x_channel), memory.get());
      k.gemm(filters.view(at(w, group * m.filters * m.rows()), w.dtype), windows.view(memory.get(), x.dtype), out.view(at(y, plane_offset(y, m, n, group)), y.dtype), b.data != nullptr);
    }
}

void zero(const View& v) { std::memset(v.data, 0, static_cast<std::size_t>(v.numel) * size_of(v.dtype)); }

void input_gradient(const View& g, const View& w, const View& dx, const WindowGeometry& geometry) {
#ifdef RILL_WITH_ONEDNN
  if (for_onednn(g.dtype) && onednn_conv_input_gradient(g, w, dx, geometry)) return;
#endif
  if (is_16bit(g.dtype)) {
    const Widened wide(dx, false);
    input_gradient(Widened(g, true).get(), Widened(w, true).get(), wide.get(), geometry);
    return copy(wide.get(), dx);
  }
  const Images m(dx, g, geometry);
  zero(dx);
  if (g.numel == 0 || w.numel == 0) return;
  const Scratch memory(m.rows() * m.positions * m.element);
  const Matrix windows{{m.rows(), m.positions}, {m.positions, 1}}, filters{{m.rows(), m.filters}, {1, m.rows()}}, out = planes(g, m, m.filters);
  for (Int n = 0; n < m.n; ++n)
    for (Int group = 0; group < m.groups; ++group) {
      cpu_kernels().gemm(filters.view(at(w, group * m.filters * m.rows()), w.dtype), out.view(at(g, plane_offset(g, m, n, group)), g.dtype), windows.view(memory.get(), g.dtype), false);
      scatter(m, g.dtype, memory.get(), at(dx, n * m.x_image + group * m.channels * m.x_channel));
    }
}

void weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& geometry) {
  if (is_16bit(dw.dtype)) {
    const Widened wide(dw, false);
    weight_gradient(g, x, wide.get(), geometry);
    return copy(wide.get(), dw);
  }
#ifdef RILL_WITH_ONEDNN
  constexpr Int kFewChannels = 4;  // leave oneDNN's registers empty
  const Int groups = geometry.groups, channels = x.sizes[1] / groups;
  const bool theirs = g.dtype == Dtype::bfloat16 ? groups > 1 || channels >= kFewChannels : g.dtype == Dtype::float32 && groups > 1;
  if (theirs && onednn_conv_weight_gradient(g, x, dw, geometry)) return;
#endif
  if (g.numel == 0 || x.numel == 0) return zero(dw);
  if (is_16bit(g.dtype)) return weight_gradient(Widened(g, true).get(), Widened(x, true).get(), dw, geometry);
  conv_weight_gradient(g, x, dw, geometry);
}

}  // namespace

void add_conv(ConvKernels& k) {
  k.conv = &conv;
  k.conv_input_gradient = &input_gradient;
  k.conv_weight_gradient = &weight_gradient;
}

}  // namespace rill::cpu

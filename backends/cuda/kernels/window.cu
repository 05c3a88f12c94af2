// Windows: maximum pools, resampling, and convolutions as they are defined. cuDNN takes the convolutions of floating dtypes on a device
// (backends/cuda/conv.cpp); these serve integers and the emulation.
#include "backends/cuda/kernels/window.h"

#include <limits>
#include <vector>

#include "backends/api/functors/reduce.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/lines.h"
#include "backends/cuda/kernels/map.h"

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kWindowThreads = 256;

/// [N, C, up to three spatial axes] with any strides, in elements. Missing axes come first, with size 1.
struct Image {
  Int batch, channels, size[3], step[5];
  explicit Image(const View& v) : batch(v.sizes[0]), channels(v.sizes[1]), step{v.strides[0], v.strides[1], 0, 0, 0} {
    const int axes = v.rank - 2;
    for (int a = 0; a < 3; ++a) size[a] = 1;
    for (int a = 0; a < axes; ++a) size[3 - axes + a] = v.sizes[2 + a], step[5 - axes + a] = v.strides[2 + a];
  }
  RILL_FN Int pixels() const { return size[0] * size[1] * size[2]; }
  RILL_FN Int at(Int n, Int c, Int i, Int j, Int k) const { return n * step[0] + c * step[1] + i * step[2] + j * step[3] + k * step[4]; }
};
struct Place {
  Int n, c, p[3];
};
/// Element i in row-major order.
RILL_FN Place place_of(const Image& m, Int i) {
  Place q{};
  for (int a = 2; a >= 0; --a) {
    const Int rest = i / m.size[a];
    q.p[a] = i - rest * m.size[a], i = rest;
  }
  q.n = i / m.channels, q.c = i - q.n * m.channels;
  return q;
}
RILL_FN Int at(const Image& m, const Place& q) { return m.at(q.n, q.c, q.p[0], q.p[1], q.p[2]); }

/// A geometry whose missing axes come first.
struct Windows {
  Int kernel[3], stride[3], dilation[3], before[3], groups;
  explicit Windows(const WindowGeometry& g) : groups(g.groups) {
    for (int a = 0; a < 3; ++a) kernel[a] = stride[a] = dilation[a] = 1, before[a] = 0;
    for (int a = 0; a < g.axes; ++a) {
      const int to = 3 - g.axes + a;
      kernel[to] = g.kernel[a], stride[to] = g.stride[a], dilation[to] = g.dilation[a], before[to] = g.before[a];
    }
  }
};

// ---- convolutions -------------------------------------------------------------------------------------------------------------------

struct Plus {
  template <class T> RILL_DEVICE T operator()(T a, T b) const { return a + b; }
};
/// What products of T are summed in.
template <class T> using WideSum = std::conditional_t<std::is_class_v<T>, double, fn::WideOf<T>>;

template <class T> struct ConvKernel {
  static constexpr int kThreads = kWindowThreads;
  using S = WideSum<T>;
  Image x, w, y;
  Windows g;
  Int n;
  const T *in, *weights, *bias;
  T* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Place q = place_of(y, i);
    const Int first = q.c / (w.batch / g.groups) * w.channels;  // input channel of the group
    S sum = bias ? static_cast<S>(bias[q.c]) : S{};
    for (Int c = 0; c < w.channels; ++c)
      for (Int a = 0; a < g.kernel[0]; ++a)
        for (Int b = 0; b < g.kernel[1]; ++b)
          for (Int d = 0; d < g.kernel[2]; ++d) {
            const Int u = q.p[0] * g.stride[0] + a * g.dilation[0] - g.before[0], v = q.p[1] * g.stride[1] + b * g.dilation[1] - g.before[1],
                      z = q.p[2] * g.stride[2] + d * g.dilation[2] - g.before[2];
            if (u < 0 || u >= x.size[0] || v < 0 || v >= x.size[1] || z < 0 || z >= x.size[2]) continue;
            sum += static_cast<S>(in[x.at(q.n, first + c, u, v, z)]) * static_cast<S>(weights[w.at(q.c, c, a, b, d)]);
          }
    out[at(y, q)] = static_cast<T>(sum);
  }
};
template <class T> struct ConvInputKernel {
  static constexpr int kThreads = kWindowThreads;
  using S = WideSum<T>;
  Image x, w, y;
  Windows g;
  Int n;
  const T *gradient, *weights;
  T* dx;
  /// The output position whose tap k meets input position i, or -1.
  RILL_DEVICE Int met(Int i, Int k, int a) const {
    const Int p = i + g.before[a] - k * g.dilation[a];
    return p < 0 || p % g.stride[a] != 0 || p / g.stride[a] >= y.size[a] ? -1 : p / g.stride[a];
  }
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Place q = place_of(x, i);
    const Int group = q.c / w.channels, filters = w.batch / g.groups;
    S sum{};
    for (Int o = group * filters; o < (group + 1) * filters; ++o)
      for (Int a = 0; a < g.kernel[0]; ++a)
        for (Int b = 0; b < g.kernel[1]; ++b)
          for (Int d = 0; d < g.kernel[2]; ++d) {
            const Int u = met(q.p[0], a, 0), v = met(q.p[1], b, 1), z = met(q.p[2], d, 2);
            if (u < 0 || v < 0 || z < 0) continue;
            sum += static_cast<S>(gradient[y.at(q.n, o, u, v, z)]) * static_cast<S>(weights[w.at(o, q.c - group * w.channels, a, b, d)]);
          }
    dx[at(x, q)] = static_cast<T>(sum);
  }
};
template <class T> struct ConvWeightKernel {
  static constexpr int kThreads = kLineThreads;
  using S = WideSum<T>;
  struct Shared {
    S sums[kThreads];
  };
  Lines lines;
  Image x, w, y;
  Windows g;
  Int n;
  const T *gradient, *in;
  T* dw;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int i = team.block() * lines.lines + lines.line(team.thread());
    const Place q = place_of(w, i < n ? i : 0);  // n: filter, c: channel in the group, p: tap
    const Int channel = q.n / (w.batch / g.groups) * w.channels + q.c, pixels = y.pixels();
    S sum{};
    for (Int r = lines.place(team.thread()); i < n && r < y.batch * pixels; r += lines.threads) {
      const Int image = r / pixels;
      Int rest = r - image * pixels, p[3];
      for (int a = 2; a >= 0; --a) p[a] = rest % y.size[a], rest /= y.size[a];
      Int from[3];
      bool inside = true;
      for (int a = 0; a < 3; ++a) from[a] = p[a] * g.stride[a] + q.p[a] * g.dilation[a] - g.before[a], inside = inside && from[a] >= 0 && from[a] < x.size[a];
      if (inside) sum += static_cast<S>(gradient[y.at(image, q.n, p[0], p[1], p[2])]) * static_cast<S>(in[x.at(image, channel, from[0], from[1], from[2])]);
    }
    sum = combine_line(team, lines, shared.sums, sum, [](S a, S b) { return a + b; });
    if (i < n && lines.place(team.thread()) == 0) dw[at(w, q)] = static_cast<T>(sum);
  }
};
template <class F> void by_number(Dtype d, F f) {
  switch (d) {
    case Dtype::float32: return f(float{});
    case Dtype::float64: return f(double{});
    case Dtype::int64: return f(Int{});
    case Dtype::int32: return f(std::int32_t{});
    case Dtype::int16: return f(std::int16_t{});
    case Dtype::int8: return f(std::int8_t{});
    default: return f(std::uint8_t{});
  }
}

// ---- maximum pools ------------------------------------------------------------------------------------------------------------------

/// Places as int32 or int64; null where nobody wants them.
struct Indices {
  void* data;
  bool narrow;
  explicit Indices(const View& v) : data(v.data), narrow(v.dtype == Dtype::int32) {}
  RILL_DEVICE Int get(Int i) const { return narrow ? static_cast<const std::int32_t*>(data)[i] : static_cast<const Int*>(data)[i]; }
  RILL_DEVICE void set(Int i, Int place) const {
    if (!data) return;
    if (narrow) static_cast<std::int32_t*>(data)[i] = static_cast<std::int32_t>(place);
    else static_cast<Int*>(data)[i] = place;
  }
};
/// Two numbers for each position of each axis, in one table on the device.
struct Ranges {
  const Int* table;
  Int first[3], last[3];  // where those of an axis start
  RILL_DEVICE Int from(int a, Int p) const { return table[first[a] + p]; }
  RILL_DEVICE Int to(int a, Int p) const { return table[last[a] + p]; }
};
template <class T> struct MaxPoolKernel {
  static constexpr int kThreads = kWindowThreads;
  Image x, y;
  Int n, dilation[3];
  Ranges windows;
  const T* in;
  T* out;
  Indices index;
  RILL_DEVICE void operator()(Team& team) const {
    using W = WideFloat<T>;
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Place q = place_of(y, i);
    Int from[3], to[3];
    for (int a = 0; a < 3; ++a) from[a] = windows.from(a, q.p[a]), to[a] = windows.to(a, q.p[a]);
    W best = std::numeric_limits<W>::has_infinity ? -std::numeric_limits<W>::infinity() : std::numeric_limits<W>::lowest();
    Int where = (from[0] * x.size[1] + from[1]) * x.size[2] + from[2];
    for (Int u = from[0]; u < to[0]; u += dilation[0])
      for (Int v = from[1]; v < to[1]; v += dilation[1])
        for (Int z = from[2]; z < to[2]; z += dilation[2]) {
          const W value = static_cast<W>(in[x.at(q.n, q.c, u, v, z)]);
          if (value > best || value != value) best = value, where = (u * x.size[1] + v) * x.size[2] + z;
        }
    const Int to_place = at(y, q);
    out[to_place] = static_cast<T>(best);
    index.set(to_place, where);
  }
};
template <class T> struct MaxGradientKernel {  // an element adds up the windows that took it, in row-major order
  static constexpr int kThreads = kWindowThreads;
  Image x, y;
  Int n;
  Ranges cover;
  Indices index;
  const T* g;
  T* dx;
  RILL_DEVICE void operator()(Team& team) const {
    using W = WideFloat<T>;
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Place q = place_of(x, i);
    const Int place = (q.p[0] * x.size[1] + q.p[1]) * x.size[2] + q.p[2];
    W sum{};
    for (Int u = cover.from(0, q.p[0]); u < cover.to(0, q.p[0]); ++u)
      for (Int v = cover.from(1, q.p[1]); v < cover.to(1, q.p[1]); ++v)
        for (Int z = cover.from(2, q.p[2]); z < cover.to(2, q.p[2]); ++z)
          if (const Int from = y.at(q.n, q.c, u, v, z); index.get(from) == place) sum += static_cast<W>(g[from]);
    dx[at(x, q)] = static_cast<T>(sum);
  }
};
/// Where in memory the places of a pool lie, for each element of y in row-major order.
struct PlacesKernel {
  static constexpr int kThreads = kWindowThreads;
  Image x, y;
  Int n;
  Indices index;
  Int *in_x, *in_y;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Place q = place_of(y, i);
    Int rest = index.get(at(y, q)), p[3];
    for (int a = 2; a >= 0; --a) p[a] = rest % x.size[a], rest /= x.size[a];
    in_x[i] = x.at(q.n, q.c, p[0], p[1], p[2]), in_y[i] = at(y, q);
  }
};
template <class T> struct PoolGatherKernel {
  static constexpr int kThreads = kWindowThreads;
  Int n;
  const Int *in_x, *in_y;
  const T* x;
  T* y;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) y[in_y[i]] = x[in_x[i]];
  }
};
template <class T> struct PoolScatterKernel {  // the first of equal places adds up all of them, in row-major order
  static constexpr int kThreads = kWindowThreads;
  Int n;
  const Int *sorted, *order, *in_y;
  const T* g;
  T* dx;
  RILL_DEVICE void operator()(Team& team) const {
    using W = WideFloat<T>;
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n || (i > 0 && sorted[i - 1] == sorted[i])) return;
    T sum{};
    for (Int j = i; j < n && sorted[j] == sorted[i]; ++j) sum = static_cast<T>(static_cast<W>(sum) + static_cast<W>(g[in_y[order[j]]]));
    dx[sorted[i]] = sum;
  }
};
template <class F> void by_any_number(Dtype d, F f) {
  if (d == Dtype::float16) return f(Half{});
  if (d == Dtype::bfloat16) return f(BFloat16{});
  by_number(d, f);
}

/// The table of `axes` axes with so many positions; a missing axis has one, [0, 1).
template <class F> void with_ranges(int axes, const Int* const (&first)[3], const Int* const (&last)[3], const Int (&count)[3], F f) {
  std::vector<Int> table = {0, 1};
  Ranges r{nullptr, {0, 0, 0}, {1, 1, 1}};
  for (int a = 0; a < axes; ++a) {
    const int axis = 3 - axes + a;
    r.first[axis] = static_cast<Int>(table.size()), table.insert(table.end(), first[a], first[a] + count[axis]);
    r.last[axis] = static_cast<Int>(table.size()), table.insert(table.end(), last[a], last[a] + count[axis]);
  }
  const Int bytes = static_cast<Int>(table.size() * sizeof(Int));
  const Scratch memory(bytes);
  copy_to_device(memory.as<void>(), table.data(), bytes);
  r.table = memory.as<const Int>();
  f(r);
}
void max_pool(const View& x, const View& y, const View& indices, const PoolWindows& w) {
  const Image to(y);
  Int dilation[3] = {1, 1, 1};
  for (int a = 0; a < w.axes; ++a) dilation[3 - w.axes + a] = w.dilation[a];
  with_ranges(w.axes, w.begin, w.end, to.size, [&](const Ranges& windows) {
    by_any_number(x.dtype, [&](auto t) {
      using T = decltype(t);
      launch(MaxPoolKernel<T>{Image(x), to, y.numel, {dilation[0], dilation[1], dilation[2]}, windows, x.as<const T>(), y.as<T>(), Indices(indices)}, blocks_for(y.numel, kWindowThreads));
    });
  });
}
void max_pool_gradient(const View& g, const View& indices, const View& dx, const PoolCover& cover) {
  const Image to(dx);
  with_ranges(cover.axes, cover.first, cover.last, to.size, [&](const Ranges& windows) {
    by_any_number(g.dtype, [&](auto t) {
      using T = decltype(t);
      launch(MaxGradientKernel<T>{to, Image(g), dx.numel, windows, Indices(indices), g.as<const T>(), dx.as<T>()}, blocks_for(dx.numel, kWindowThreads));
    });
  });
}
void pool_gather(const View& x, const View& indices, const View& y) {
  const Int bytes = y.numel * static_cast<Int>(sizeof(Int));
  const Scratch in_x(bytes), in_y(bytes);
  launch(PlacesKernel{Image(x), Image(y), y.numel, Indices(indices), in_x.as<Int>(), in_y.as<Int>()}, blocks_for(y.numel, kWindowThreads));
  by_any_number(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(PoolGatherKernel<T>{y.numel, in_x.as<const Int>(), in_y.as<const Int>(), x.as<const T>(), y.as<T>()}, blocks_for(y.numel, kWindowThreads));
  });
}
void pool_scatter(const View& g, const View& indices, const View& dx) {
  clear(dx.data, dx.numel * static_cast<Int>(size_of(dx.dtype)));
  if (g.numel == 0) return;
  const Int bytes = g.numel * static_cast<Int>(sizeof(Int));
  const Scratch in_x(bytes), in_y(bytes), sorted(bytes), order(bytes);
  launch(PlacesKernel{Image(dx), Image(g), g.numel, Indices(indices), in_x.as<Int>(), in_y.as<Int>()}, blocks_for(g.numel, kWindowThreads));
  sort_keys(in_x.as<const Int>(), g.numel, sorted.as<Int>(), order.as<Int>());
  by_any_number(g.dtype, [&](auto t) {
    using T = decltype(t);
    launch(PoolScatterKernel<T>{g.numel, sorted.as<const Int>(), order.as<const Int>(), in_y.as<const Int>(), g.as<const T>(), dx.as<T>()}, blocks_for(g.numel, kWindowThreads));
  });
}

// ---- resampling ---------------------------------------------------------------------------------------------------------------------

/// A sparse matrix on the device.
struct Matrix {
  const Int *offsets, *indices;
  const double* weights;
};
template <class F> void with_matrix(const AxisWeights& w, F f) {
  const Int entries = w.offsets[w.rows], word = static_cast<Int>(sizeof(Int));
  const Scratch offsets((w.rows + 1) * word), indices(entries * word), weights(entries * word);
  copy_to_device(offsets.as<void>(), w.offsets, (w.rows + 1) * word);
  if (entries) copy_to_device(indices.as<void>(), w.indices, entries * word), copy_to_device(weights.as<void>(), w.weights, entries * word);
  f(Matrix{offsets.as<const Int>(), indices.as<const Int>(), weights.as<const double>()});
}
template <class From, class To> struct ResampleKernel {
  static constexpr int kThreads = kWindowThreads;
  using T = WideFloat<From>;
  Int n, size, rows, inner;
  Matrix w;
  const From* x;
  To* y;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int line = i / inner, column = i - line * inner, outer = line / rows, row = line - outer * rows;
    T sum{};
    for (Int k = w.offsets[row]; k < w.offsets[row + 1]; ++k) sum += static_cast<T>(w.weights[k]) * static_cast<T>(x[(outer * size + w.indices[k]) * inner + column]);
    y[i] = static_cast<To>(sum);
  }
};
template <class From, class To> struct ResamplePlaneKernel {
  static constexpr int kThreads = kWindowThreads;
  using T = WideFloat<From>;
  Int n, size, next_size, rows, next_rows, inner;
  Matrix w, v;
  const From* x;
  To* y;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const Int column = i % inner, l = i / inner % next_rows, row = i / inner / next_rows % rows, outer = i / inner / next_rows / rows;
    T sum{};
    for (Int m = v.offsets[l]; m < v.offsets[l + 1]; ++m) {
      T first{};
      for (Int k = w.offsets[row]; k < w.offsets[row + 1]; ++k) first += static_cast<T>(w.weights[k]) * static_cast<T>(x[((outer * size + w.indices[k]) * next_size + v.indices[m]) * inner + column]);
      sum += static_cast<T>(v.weights[m]) * first;
    }
    y[i] = static_cast<To>(sum);
  }
};
/// f(element of x, element of y).
template <class F> void with_pair(const View& x, const View& y, F f) {
  with_floating(x.dtype, [&](auto from) {
    using From = decltype(from);
    if (y.dtype == x.dtype) return f(from, from);
    if constexpr (std::is_same_v<From, float>) y.dtype == Dtype::float16 ? f(from, Half{}) : f(from, BFloat16{});
    else if constexpr (std::is_class_v<From>) f(from, float{});
  });
}
void resample(const View& x, const View& y, const AxisWeights& weights) {
  if (y.numel == 0) return;
  with_matrix(weights, [&](const Matrix& w) {
    with_pair(x, y, [&](auto from, auto to) {
      using From = decltype(from);
      using To = decltype(to);
      launch(ResampleKernel<From, To>{y.numel, x.sizes[1], y.sizes[1], x.sizes[2], w, x.as<const From>(), y.as<To>()}, blocks_for(y.numel, kWindowThreads));
    });
  });
}
void resample_plane(const View& x, const View& y, const AxisWeights& first, const AxisWeights& second) {
  if (y.numel == 0) return;
  with_matrix(first, [&](const Matrix& w) {
    with_matrix(second, [&](const Matrix& v) {
      with_pair(x, y, [&](auto from, auto to) {
        using From = decltype(from);
        using To = decltype(to);
        launch(ResamplePlaneKernel<From, To>{y.numel, x.sizes[1], x.sizes[2], y.sizes[1], y.sizes[2], x.sizes[3], w, v, x.as<const From>(), y.as<To>()}, blocks_for(y.numel, kWindowThreads));
      });
    });
  });
}

}  // namespace

void conv_by_definition(const View& x, const View& w, const View& b, const View& y, const WindowGeometry& g) {
  by_any_number(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(ConvKernel<T>{Image(x), Image(w), Image(y), Windows(g), y.numel, x.as<const T>(), w.as<const T>(), b.as<const T>(), y.as<T>()}, blocks_for(y.numel, kWindowThreads));
  });
}
void conv_input_by_definition(const View& g, const View& w, const View& dx, const WindowGeometry& geometry) {
  by_any_number(g.dtype, [&](auto t) {
    using T = decltype(t);
    launch(ConvInputKernel<T>{Image(dx), Image(w), Image(g), Windows(geometry), dx.numel, g.as<const T>(), w.as<const T>(), dx.as<T>()}, blocks_for(dx.numel, kWindowThreads));
  });
}
void conv_weight_by_definition(const View& g, const View& x, const View& dw, const WindowGeometry& geometry) {
  by_any_number(g.dtype, [&](auto t) {
    using T = decltype(t);
    const Image y(g);
    const Lines l = Lines::for_length(y.batch * y.pixels(), false);
    launch(ConvWeightKernel<T>{l, Image(x), Image(dw), y, Windows(geometry), dw.numel, g.as<const T>(), x.as<const T>(), dw.as<T>()}, blocks_for(dw.numel, l.lines));
  });
}

void add_bias(const View& b, const View& y) {
  const std::int64_t strides[5] = {0, b.strides[0], 0, 0, 0};
  const View each{b.data, b.dtype, y.rank, y.sizes, strides, y.numel, false};
  const Dtype dtypes[] = {y.dtype, y.dtype, b.dtype};
  for_each_part(LoopPlan<3>({y, y, each}), [&](const LoopPlan<3>& part) {
    const auto run = [&](auto t) {
      using K = MapKernel<Plus, decltype(t), decltype(t), 2>;
      const Plan plan = plan_of(part, dtypes, K::kItems);
      launch(K{{}, plan}, blocks_for(plan.numel, K::kThreads * K::kItems));
    };
    if (y.dtype == Dtype::float64) run(double{});
    else run(float{});
  });
}

void fill_window(ConvKernels& k) {
  k.conv = &conv_by_definition;
  k.conv_input_gradient = &conv_input_by_definition;
  k.conv_weight_gradient = &conv_weight_by_definition;
  k.conv_any_format = true;
  k.max_pool = &max_pool;
  k.pool_gather = &pool_gather;
  k.max_pool_gradient = &max_pool_gradient;
  k.pool_scatter = &pool_scatter;
  k.resample = &resample;
  k.resample_plane = &resample_plane;
}

}  // namespace rill::RILL_GPU

// Pools. A maximum keeps the place of each result: the gradient scatters to the places, its own gradient gathers from them, and so on.
// An average over a box is a product of averages along axes, so average pools are resamplings (autograd/resample.h).
#include <rill/ops/pool.h>

#include <rill/ops/elementwise.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <limits>

#include "autograd/record.h"
#include "autograd/resample.h"
#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;

/// Windows along one axis: begin, end inside the input; `padded` is the length with padding, but without what overhangs.
struct Windows {
  std::vector<Int> begin, end, padded;
  Int size() const { return static_cast<Int>(begin.size()); }
  void reserve(const char* op, Int n) { checked_reserve(op, begin, n), checked_reserve(op, end, n), checked_reserve(op, padded, n); }
};

Windows sliding(const char* op, const Shape& shape, int axis, const WindowGeometry& w, int i, bool ceil_mode) {
  const Int size = shape[axis], reach = window_reach(op, w, i), pad = w.before[i], stride = w.stride[i];
  check<ValueError>(pad <= reach / 2, op, "padding {} is more than half of the window of {} elements", pad, reach);
  const Int room = checked_add(op, size, 2 * pad) - reach;
  check<ShapeError>(size > 0 && room + (ceil_mode ? stride - 1 : 0) >= 0, op, "a window of {} elements does not fit axis {} of {} with padding {}", reach, axis, shape, pad);
  Int count = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  if (ceil_mode && (count - 1) * stride >= size + pad) --count;
  Windows r;
  r.reserve(op, count);
  for (Int p = 0; p < count; ++p) {
    const Int from = p * stride - pad, to = from + reach, d = w.dilation[i];
    r.padded.push_back(std::min(to, size + pad) - from);
    r.begin.push_back(from < 0 ? from + (-from + d - 1) / d * d : from);
    r.end.push_back(std::min(to, size));
  }
  return r;
}

Windows adaptive(const char* op, const Shape& shape, int axis, Int count) {
  const Int size = shape[axis];
  check<ValueError>(count >= -1, op, "output size {} is no size; give at least 0, or -1 for that of x", count);
  check<ShapeError>(size > 0, op, "axis {} of {} is empty; at least one element is needed", axis, shape);
  if (count == -1) count = size;
  Windows r;
  r.reserve(op, count);
  for (Int i = 0; i < count; ++i) {
    r.begin.push_back(static_cast<Int>(static_cast<__int128>(i) * size / count));
    r.end.push_back(static_cast<Int>((static_cast<__int128>(i + 1) * size + count - 1) / count));
    r.padded.push_back(r.end.back() - r.begin.back());
  }
  return r;
}

/// The first spatial axis.
int check_input(const char* op, const Tensor& x, int axes, bool average) {
  check_defined(op, x);
  const Shape& s = impl(x).shape;
  check<ShapeError>(s.rank() == axes + 1 || s.rank() == axes + 2, op, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, s);
  const Dtype d = impl(x).dtype;
  if (average) check<DtypeError>(is_floating(d), op, "{} is not supported (expected a floating dtype); convert with .to()", d);
  else check<DtypeError>(d != Dtype::boolean, op, "bool is not supported (expected a floating or integer dtype); convert with .to()");
  return s.rank() - axes;
}

std::vector<Windows> sliding_windows(const char* op, const Tensor& x, int axes, const PerAxis& kernel, const PerAxis& stride, const PerAxis& padding, const PerAxis& dilation,
                                     bool ceil_mode, bool average) {
  const int first = check_input(op, x, axes, average);
  const WindowGeometry w = window(op, axes, kernel, stride.count() ? stride : kernel, padding, dilation);
  std::vector<Windows> r;
  for (int i = 0; i < axes; ++i) r.push_back(sliding(op, impl(x).shape, first + i, w, i, ceil_mode));
  return r;
}

std::vector<Windows> adaptive_windows(const char* op, const Tensor& x, int axes, const PerAxis& size, bool average) {
  const int first = check_input(op, x, axes, average);
  check_count(op, "output size", size, axes);
  std::vector<Windows> r;
  for (int i = 0; i < axes; ++i) r.push_back(adaptive(op, impl(x).shape, first + i, size[i]));
  return r;
}

// ---- maxima -----------------------------------------------------------------------------------------------------------------------

Tensor scatter_places(const char* op, const Tensor& g, const Tensor& indices, const Shape& shape);

Tensor gather_places(const char* op, const Tensor& x, const Tensor& indices) {
  const bool last = is_channels_last(indices);
  const Tensor from = dense(x.detach(), last);
  Tensor y = make_dense(impl(indices).shape, last, impl(x).dtype, impl(x).device);
  if (impl(y).numel) kernels(x).pool_gather(view(from), view(indices), view(y));
  return record(op, std::move(y), grad(x, [op, indices = save(indices), shape = impl(x).shape](const Tensor& g) { return scatter_places(op, g, indices(), shape); }));
}

Tensor scatter_places(const char* op, const Tensor& g, const Tensor& indices, const Shape& shape) {
  const bool last = is_channels_last(indices);
  const Tensor from = dense(g.detach(), last);
  Tensor dx = make_dense(shape, last, impl(g).dtype, impl(g).device);
  if (impl(dx).numel) kernels(g).pool_scatter(view(from), view(indices), view(dx));
  return record(op, std::move(dx), grad(g, [op, indices = save(indices)](const Tensor& h) { return gather_places(op, h, indices()); }));
}

/// For every position of the input the windows that may have looked at it.
struct Cover {
  std::vector<Int> first, last;
  Cover(const Windows& w, Int size) {
    Int ended = 0, begun = 0;
    for (Int i = 0; i < size; ++i) {
      while (ended < w.size() && w.end[static_cast<std::size_t>(ended)] <= i) ++ended;
      while (begun < w.size() && w.begin[static_cast<std::size_t>(begun)] <= i) ++begun;
      first.push_back(ended), last.push_back(begun);
    }
  }
};

/// scatter_places for the places of a maximum, of which every one lies in its window.
Tensor max_gradient(const char* op, const Tensor& g, const Tensor& indices, const Shape& shape, const std::vector<Cover>& covers) {
  const bool last = is_channels_last(indices);
  const Tensor from = dense(g.detach(), last);
  Tensor dx = make_dense(shape, last, impl(g).dtype, impl(g).device);
  PoolCover cover{static_cast<int>(covers.size()), {}, {}};
  for (std::size_t i = 0; i < covers.size(); ++i) cover.first[i] = covers[i].first.data(), cover.last[i] = covers[i].last.data();
  if (impl(dx).numel) kernels(g).max_pool_gradient(view(from), view(indices), view(dx), cover);
  return record(op, std::move(dx), grad(g, [op, indices = save(indices)](const Tensor& h) { return gather_places(op, h, indices()); }));
}

/// The indices are defined where they are wanted, by the caller or for a gradient; they are int32 where they fit.
PoolResult maximum(const char* op, const Tensor& x, int axes, const std::vector<Windows>& windows, const PerAxis& dilation, bool wanted) {
  const Shape& s = impl(x).shape;
  if (s.rank() == axes + 1) {
    const PoolResult r = maximum(op, x.unsqueeze(0), axes, windows, dilation, wanted);
    return {r.values.squeeze(0), r.indices.defined() ? r.indices.squeeze(0) : r.indices};
  }
  Shape shape{s[0], s[1]};
  Int positions = 1;
  PoolWindows w{axes, {}, {}, {1, 1, 1}};
  for (int i = 0; i < axes; ++i) {
    const Windows& a = windows[static_cast<std::size_t>(i)];
    shape.push_back(a.size());
    positions *= s[2 + i];
    w.begin[i] = a.begin.data(), w.end[i] = a.end.data(), w.dilation[i] = dilation[i];
  }
  checked_numel(op, shape, Dtype::int64);
  const bool last = is_channels_last(x);
  const Tensor from = dense(x.detach(), last);
  Tensor y = make_dense(shape, last, impl(x).dtype, impl(x).device), indices;
  const bool taped = recording(x);
  if (wanted || taped) indices = make_dense(shape, last, positions <= std::numeric_limits<std::int32_t>::max() ? Dtype::int32 : Dtype::int64, impl(x).device);
  if (impl(y).numel) kernels(x).max_pool(view(from), view(y), indices.defined() ? view(indices) : View{}, w);
  if (!taped) return {y, indices};
  std::vector<Cover> covers;
  bool inside = true;  // a window of nothing but padding names a place outside of it
  for (int i = 0; i < axes; ++i) {
    const Windows& a = windows[static_cast<std::size_t>(i)];
    covers.emplace_back(a, s[2 + i]);
    for (std::size_t k = 0; k < a.begin.size(); ++k) inside = inside && a.begin[k] < a.end[k];
  }
  if (!inside) covers.clear();
  return {record_known(op, std::move(y), grad(x, [op, places = save(indices), s, covers = std::move(covers)](const Tensor& g) {
            return covers.empty() ? scatter_places(op, g, places(), s) : max_gradient(op, g, places(), s, covers);
          })), indices};
}

PoolResult max_pool(const char* op, int axes, const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o, bool wanted) {
  const OpRange here(op, x);
  return maximum(op, x, axes, sliding_windows(op, x, axes, kernel, o.stride, o.padding, o.dilation, o.ceil_mode, false), o.dilation, wanted);
}
PoolResult adaptive_max_pool(const char* op, int axes, const Tensor& x, const PerAxis& size, bool wanted) {
  const OpRange here(op, x);
  return maximum(op, x, axes, adaptive_windows(op, x, axes, size, false), 1, wanted);
}
PoolResult with_int64(const PoolResult& r) { return {r.values, r.indices.to(Dtype::int64)}; }

// ---- averages ---------------------------------------------------------------------------------------------------------------------

enum class Divisor { padded, inside, fixed };

/// `total` is the divisor of a whole window when it is fixed; it enters the weights, so that a 16-bit result is rounded once.
Tensor average(const char* op, const Tensor& x, const std::vector<Windows>& windows, Divisor divisor, double total = 1) {
  AxisMaps maps;
  Shape shape = impl(x).shape;
  const int first = shape.rank() - static_cast<int>(windows.size());
  for (std::size_t a = 0; a < windows.size(); ++a) {
    const Windows& w = windows[a];
    const int axis = first + static_cast<int>(a);
    AxisMap::Half rows;
    for (std::size_t p = 0; p < w.begin.size(); ++p) {
      const double n = divisor == Divisor::padded ? static_cast<double>(w.padded[p]) : divisor == Divisor::inside ? static_cast<double>(w.end[p] - w.begin[p]) : a == 0 ? total : 1;
      for (Int i = w.begin[p]; i < w.end[p]; ++i) rows.entry(i, 1.0 / n);
      rows.end_row();
    }
    maps.emplace_back(axis, std::make_shared<const AxisMap>(shape[axis], std::move(rows)));
    shape[axis] = w.size();
  }
  checked_numel(op, shape, impl(x).dtype);
  return resample(op, x, maps);
}

Tensor avg_pool(const char* op, int axes, const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& o) {
  const OpRange here(op, x);
  const auto windows = sliding_windows(op, x, axes, kernel, o.stride, o.padding, 1, o.ceil_mode, true);
  if (o.divisor_override == 0) return average(op, x, windows, o.count_include_pad ? Divisor::padded : Divisor::inside);
  return average(op, x, windows, Divisor::fixed, static_cast<double>(o.divisor_override));
}
Tensor adaptive_avg_pool(const char* op, int axes, const Tensor& x, const PerAxis& size) {
  const OpRange here(op, x);
  return average(op, x, adaptive_windows(op, x, axes, size, true), Divisor::inside);
}

}  // namespace

#define RILL_POOLS(n)                                                                                                                                                      \
  PoolResult max_pool##n##d_with_indices(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o) {                                                          \
    return with_int64(max_pool("max_pool" #n "d", n, x, kernel, o, true));                                                                                                 \
  }                                                                                                                                                                        \
  Tensor max_pool##n##d(const Tensor& x, const PerAxis& kernel, const MaxPoolOptions& o) { return max_pool("max_pool" #n "d", n, x, kernel, o, false).values; }            \
  Tensor avg_pool##n##d(const Tensor& x, const PerAxis& kernel, const AvgPoolOptions& o) { return avg_pool("avg_pool" #n "d", n, x, kernel, o); }                          \
  Tensor adaptive_avg_pool##n##d(const Tensor& x, const PerAxis& size) { return adaptive_avg_pool("adaptive_avg_pool" #n "d", n, x, size); }                               \
  PoolResult adaptive_max_pool##n##d_with_indices(const Tensor& x, const PerAxis& size) {                                                                                  \
    return with_int64(adaptive_max_pool("adaptive_max_pool" #n "d", n, x, size, true));                                                                                    \
  }                                                                                                                                                                        \
  Tensor adaptive_max_pool##n##d(const Tensor& x, const PerAxis& size) { return adaptive_max_pool("adaptive_max_pool" #n "d", n, x, size, false).values; }
RILL_POOLS(1)
RILL_POOLS(2)
RILL_POOLS(3)
#undef RILL_POOLS

}  // namespace rill

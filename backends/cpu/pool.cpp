// Maxima over windows and weighted sums along one axis (average pools, interpolation).
#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "backends/api/backend.h"
#include "backends/cpu/conv.h"
#include "backends/cpu/dtype_switch.h"
#include "backends/cpu/scratch.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

using Int = std::int64_t;
constexpr Int kGrain = 16 << 10;  // elements per task
constexpr Int kLanes = 16;        // channels that one task of a channels-last gradient takes

template <class T> constexpr bool is_16bit = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T> using Wide = std::conditional_t<is_16bit<T>, float, T>;
template <class W> constexpr W lowest = std::numeric_limits<W>::has_infinity ? -std::numeric_limits<W>::infinity() : std::numeric_limits<W>::lowest();

/// Images as blocks of `lanes` adjacent channels: [block, position, lane]; row-major tensors have one lane.
struct Blocks {
  Int channels, positions, lanes, per_image, count;
  explicit Blocks(const View& v) : channels(v.sizes[1]), positions(1), lanes(v.contiguous ? 1 : kLanes) {
    for (int i = 2; i < v.rank; ++i) positions *= v.sizes[i];
    per_image = (channels + lanes - 1) / lanes, count = v.sizes[0] * per_image;
  }
  bool last() const { return lanes > 1; }
  Int step() const { return last() ? channels : 1; }  // from position to position
  Int start(Int block) const {
    const Int n = block / per_image, b = block % per_image;
    return n * channels * positions + (last() ? b * lanes : b * positions);
  }
  Int width(Int block) const { return std::min(lanes, channels - block % per_image * lanes); }
  Int grain(Int work) const { return std::max<Int>(1, kGrain / std::max<Int>(1, work * lanes)); }
};

/// Both tensors are read with the layout of the one that is not ambiguous.
std::pair<Blocks, Blocks> layouts(const View& a, const View& b) {
  View x = a, y = b;
  x.contiguous = y.contiguous = a.contiguous && b.contiguous;
  return {Blocks(x), Blocks(y)};
}

/// MaxRow for dtypes without registers and for very long windows; with the place of each maximum when window c starts at `start` + c `between`.
template <class T, class Index> void max_row_plain(const MaxRow& r, Index* index, Int start, Int between) {
  for (Int c = 0; c < r.columns; ++c) {
    const T* x = static_cast<const T*>(r.x) + c * r.stride;
    Wide<T> best = static_cast<Wide<T>>(x[r.at[0] * r.step]);
    Int tap = 0;
    for (Int t = 1; t < r.taps; ++t) {
      const auto v = static_cast<Wide<T>>(x[r.at[t] * r.step]);
      if (v > best || v != v) best = v, tap = t;
    }
    static_cast<T*>(r.y)[c] = static_cast<T>(best);
    if (index) index[c] = static_cast<Index>(start + c * between + r.at[tap]);
  }
}

/// How far the taps of a window lie from its first one, in positions. Most windows of a pool share one list.
class Taps {
 public:
  Taps(const Int (&size)[3], const Int (&dilation)[3]) : size_(size), dilation_(dilation) {}
  const std::vector<Int>& of(const Int (&extent)[3]) {
    if (std::equal(extent, extent + 3, extent_)) return at_;
    std::copy(extent, extent + 3, extent_);
    at_.clear();
    for (Int i = 0; i < extent[0]; i += dilation_[0])
      for (Int j = 0; j < extent[1]; j += dilation_[1])
        for (Int k = 0; k < extent[2]; k += dilation_[2]) at_.push_back((i * size_[1] + j) * size_[2] + k);
    return at_;
  }

 private:
  const Int (&size_)[3], (&dilation_)[3];
  Int extent_[3] = {-1, -1, -1};
  std::vector<Int> at_;
};

/// Windows of one axis that have the same taps and start one stride after the other.
struct Run {
  Int first, count, stride;
};
std::vector<Run> runs_of(const Int* begin, const Int* end, Int columns) {
  std::vector<Run> runs;
  for (Int k = 0; k < columns; k += runs.back().count) {
    Int n = 1;
    const Int stride = k + 1 < columns ? begin[k + 1] - begin[k] : 0;
    while (k + n < columns && begin[k + n] - begin[k + n - 1] == stride && end[k + n] - begin[k + n] == end[k] - begin[k]) ++n;
    runs.push_back({k, n, n > 1 ? stride : 0});
  }
  return runs;
}

/// `last`: channels are adjacent and take the part of the columns.
template <class T, class Index> void max_pool_as(const View& x, const View& y, const View& indices, const PoolWindows& w, bool last) {
  constexpr Int kOnlyBegin[] = {0}, kOnlyEnd[] = {1}, kFarthest = 1 << 24;
  Int size[3] = {1, 1, 1}, out[3] = {1, 1, 1}, dilation[3] = {1, 1, 1};
  const Int *begin[3] = {kOnlyBegin, kOnlyBegin, kOnlyBegin}, *end[3] = {kOnlyEnd, kOnlyEnd, kOnlyEnd};
  for (int i = 0; i < w.axes; ++i) {
    const int a = 3 - w.axes + i;
    size[a] = x.sizes[2 + i], out[a] = y.sizes[2 + i], dilation[a] = w.dilation[i], begin[a] = w.begin[i], end[a] = w.end[i];
  }
  const Int channels = x.sizes[1], step = last ? channels : 1, planes = x.sizes[0] * (last ? 1 : channels);
  const Int plane = size[0] * size[1] * size[2] * step, width = out[2] * step, rows = out[0] * out[1];
  const MaxRowFn fast = cpu_kernels().max_row[static_cast<std::size_t>(x.dtype)];
  Index* const index = static_cast<Index*>(indices.data);
  std::vector<Run> runs;
  if (last) for (Int k = 0; k < out[2]; ++k) runs.push_back({k, 1, 0});
  else runs = runs_of(begin[2], end[2], out[2]);
  parallel_for(planes * rows, std::max<Int>(1, kGrain / std::max<Int>(1, width)), [&](Int first, Int end_of_rows) {
    Taps taps(size, dilation);
    std::vector<std::int32_t> best(index ? static_cast<std::size_t>(width) : 0);
    for (Int row = first; row < end_of_rows; ++row) {
      const Int i = row % rows / out[1], j = row % out[1];
      for (const auto& [k, run, between] : runs) {
        const std::vector<Int>& at = taps.of({end[0][i] - begin[0][i], end[1][j] - begin[1][j], end[2][k] - begin[2][k]});
        const Int start = (begin[0][i] * size[1] + begin[1][j]) * size[2] + begin[2][k], to = row * width + k * step;
        const Int columns = last ? channels : run;
        if (at.empty()) {  // nothing but padding
          std::fill_n(y.as<T>() + to, columns, static_cast<T>(lowest<Wide<T>>));
          if (index) std::fill_n(index + to, columns, static_cast<Index>((std::min(begin[0][i], size[0] - 1) * size[1] + std::min(begin[1][j], size[1] - 1)) * size[2] + std::min(begin[2][k], size[2] - 1)));
          continue;
        }
        const bool registers = fast && at.back() <= kFarthest;
        const MaxRow r{.x = x.as<T>() + row / rows * plane + start * step, .columns = columns, .stride = last ? 1 : between, .step = step, .taps = static_cast<Int>(at.size()),
                       .at = at.data(), .y = y.as<T>() + to, .best = index && registers ? best.data() : nullptr};
        if (!registers) {
          max_row_plain<T>(r, index ? index + to : nullptr, start, between);
          continue;
        }
        fast(r);
        if (index)
          for (Int c = 0; c < columns; ++c) index[to + c] = static_cast<Index>(start + c * between + best[static_cast<std::size_t>(c)]);
      }
    }
  });
}

void max_pool(const View& x, const View& y, const View& indices, const PoolWindows& w) {
  const bool last = layouts(x, y).first.last();
  by_dtype(x.dtype, [&]<class T>(T) { indices.dtype == Dtype::int32 ? max_pool_as<T, std::int32_t>(x, y, indices, w, last) : max_pool_as<T, Int>(x, y, indices, w, last); });
}

/// Calls f(place in the input tensor, place in the output tensor) for every output element; a block belongs to one thread.
template <class Index, class F> void walk_places_as(const View& input, const View& output, const Index* indices, F f) {
  const auto [bx, by] = layouts(input, output);
  parallel_for(bx.count, bx.grain(std::max(bx.positions, by.positions)), [&, &bx = bx, &by = by](Int first, Int last) {
    for (Int b = first; b < last; ++b) {
      const Int from = bx.start(b), width = by.width(b), step = bx.step();
      Int to = by.start(b);
      for (Int p = 0; p < by.positions; ++p, to += by.step())
        for (Int l = 0; l < width; ++l) f(from + indices[to + l] * step + l, to + l);
    }
  });
}

template <class F> void walk_places(const View& input, const View& output, const View& indices, F f) {
  indices.dtype == Dtype::int32 ? walk_places_as(input, output, indices.as<std::int32_t>(), f) : walk_places_as(input, output, indices.as<Int>(), f);
}

void pool_scatter(const View& g, const View& indices, const View& dx) {
  std::memset(dx.data, 0, static_cast<std::size_t>(dx.numel) * size_of(dx.dtype));
  by_dtype(g.dtype, [&]<class T>(T) {
    walk_places(dx, g, indices, [to = dx.as<T>(), from = g.as<T>()](Int x, Int y) { to[x] = static_cast<T>(static_cast<Wide<T>>(to[x]) + static_cast<Wide<T>>(from[y])); });
  });
}

void pool_gather(const View& x, const View& indices, const View& y) {
  by_dtype(x.dtype, [&]<class T>(T) {
    walk_places(x, y, indices, [from = x.as<T>(), to = y.as<T>()](Int i, Int k) { to[k] = from[i]; });
  });
}

void max_pool_gradient(const View& g, const View& indices, const View& dx, const PoolCover& cover) {
  const auto [bx, by] = layouts(dx, g);
  const auto gradient_row = cpu_kernels().max_gradient_row[static_cast<std::size_t>(g.dtype)];
  if (!bx.last() || !gradient_row || indices.dtype != Dtype::int32) return pool_scatter(g, indices, dx);
  constexpr Int kFirst[] = {0}, kLast[] = {1};
  Int size[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  const Int *first[3] = {kFirst, kFirst, kFirst}, *last[3] = {kLast, kLast, kLast};
  for (int i = 0; i < cover.axes; ++i) {
    const int a = 3 - cover.axes + i;
    size[a] = dx.sizes[2 + i], out[a] = g.sizes[2 + i], first[a] = cover.first[i], last[a] = cover.last[i];
  }
  const Int channels = dx.sizes[1], rows = size[0] * size[1], width = size[2] * channels, element = static_cast<Int>(size_of(dx.dtype));
  parallel_for(dx.sizes[0] * rows, std::max<Int>(1, kGrain / std::max<Int>(1, width)), [&, &by = by](Int begin, Int end) {
    std::vector<Int> starts;
    for (Int row = begin; row < end; ++row) {
      const Int n = row / rows, i = row % rows / size[1], j = row % size[1];
      starts.clear();
      for (Int p = first[0][i]; p < last[0][i]; ++p)
        for (Int q = first[1][j]; q < last[1][j]; ++q) starts.push_back(n * by.positions + (p * out[1] + q) * out[2]);
      gradient_row({g.data, indices.as<std::int32_t>(), dx.as<char>() + row * width * element, channels, size[2], first[2], last[2], starts.data(), static_cast<Int>(starts.size()),
                                      static_cast<std::int32_t>(row % rows * size[2])});
    }
  });
}

/// The rows [first, last) of a weight matrix that are the same weights, shifted by `stride` from row to row: all of an average pool but its border.
struct Steady {
  Int first = 0, last = 0, start = 0, stride = 1, taps = 0;
  const double* weights = nullptr;
  explicit Steady(const AxisWeights& w) {
    if (w.rows < 4) return;
    const Int middle = w.rows / 2;
    const auto begin = [&](Int i) { return w.indices[w.offsets[i]]; };
    taps = w.offsets[middle + 1] - w.offsets[middle];
    if (taps == 0 || w.offsets[middle + 2] - w.offsets[middle + 1] != taps) return;
    weights = w.weights + w.offsets[middle], stride = begin(middle + 1) - begin(middle);
    const auto same = [&](Int i) {
      if (w.offsets[i + 1] - w.offsets[i] != taps || begin(i) != begin(middle) + (i - middle) * stride) return false;
      for (Int k = 0; k < taps; ++k)
        if (w.indices[w.offsets[i] + k] != begin(i) + k || w.weights[w.offsets[i] + k] != weights[k]) return false;
      return true;
    };
    if (stride < 1 || !same(middle)) return;
    first = middle, last = middle + 1;
    while (first > 0 && same(first - 1)) --first;
    while (last < w.rows && same(last)) ++last;
    start = begin(first);
  }
};

/// The sums of steady rows, tap by tap: y[i] = sum over k of w[k] x[i stride + k].
template <class T, int Stride> void steady_sums(const T* x, T* y, const Steady& s) {
  const Int stride = Stride ? Stride : s.stride;
  for (Int k = 0; k < s.taps; ++k) {
    const T weight = static_cast<T>(s.weights[k]);
    if (k == 0) for (Int i = 0; i < s.last - s.first; ++i) y[i] = weight * x[i * stride];
    else for (Int i = 0; i < s.last - s.first; ++i) y[i] += weight * x[i * stride + k];
  }
}

/// One line along its own axis: every output is a sum of its own.
template <class T> void resample_line(const T* from, T* to, const AxisWeights& w, const Steady& steady) {
  for (Int i = 0; i < w.rows; ++i) {
    if (i == steady.first && steady.last > i) {
      if (steady.stride == 1) steady_sums<T, 1>(from + steady.start, to + i, steady);
      else if (steady.stride == 2) steady_sums<T, 2>(from + steady.start, to + i, steady);
      else steady_sums<T, 0>(from + steady.start, to + i, steady);
      if (i = steady.last; i == w.rows) break;
    }
    T sum = 0;
    for (Int k = w.offsets[i]; k < w.offsets[i + 1]; ++k) sum += static_cast<T>(w.weights[k]) * from[w.indices[k]];
    to[i] = sum;
  }
}

/// The same for a line whose elements are not T, by way of lines of T: `room` for one of each side.
template <class T> void resample_line(const void* from, Dtype x, Int size, void* to, Dtype y, const AxisWeights& w, const Steady& steady, T* room) {
  constexpr auto own = static_cast<std::size_t>(dtype_of<T>);
  const auto& cast = cpu_kernels().cast;
  const bool widen = x != dtype_of<T>, round = y != dtype_of<T>;
  T* const result = round ? room + size : static_cast<T*>(to);
  if (widen) cast[static_cast<std::size_t>(x)][own](from, room, size);
  resample_line(widen ? room : static_cast<const T*>(from), result, w, steady);
  if (round) cast[own][static_cast<std::size_t>(y)](result, to, w.rows);
}

/// Row i of the matrix for rows of n elements.
void weighted_row(const void* from, Dtype x, void* to, Dtype y, Int n, const AxisWeights& w, Int i) {
  const Int first = w.offsets[i];
  cpu_kernels().weighted_rows[static_cast<std::size_t>(x)][static_cast<std::size_t>(y)]({from, w.indices + first, w.weights + first, w.offsets[i + 1] - first, n, n, to});
}

Int row_grain(Int n, const AxisWeights& w) { return std::max<Int>(1, kGrain / std::max<Int>(1, n * std::max<Int>(1, w.offsets[w.rows] / std::max<Int>(1, w.rows)))); }

char* at(const View& v, Int i) { return v.as<char>() + i * static_cast<Int>(size_of(v.dtype)); }

template <class T> void resample_axis(const View& x, const View& y, const AxisWeights& w) {
  const Int outer = x.sizes[0], size = x.sizes[1], inner = x.sizes[2];
  if (inner == 1) {
    const Steady steady(w);
    return parallel_for(outer, std::max<Int>(1, kGrain / std::max<Int>(1, w.offsets[w.rows])), [&](Int begin, Int end) {
      const Scratch room((size + w.rows) * static_cast<Int>(sizeof(T)));
      for (Int o = begin; o < end; ++o) resample_line(at(x, o * size), x.dtype, size, at(y, o * w.rows), y.dtype, w, steady, static_cast<T*>(room.get()));
    });
  }
  parallel_for(outer * w.rows, row_grain(inner, w), [&](Int begin, Int end) {
    for (Int row = begin; row < end; ++row) weighted_row(at(x, row / w.rows * size * inner), x.dtype, at(y, row * inner), y.dtype, inner, w, row % w.rows);
  });
}

/// A line of the first result stays in the cache until the second axis has been summed.
template <class T> void resample_two(const View& x, const View& y, const AxisWeights& w, const AxisWeights& v) {
  const Int outer = x.sizes[0], size = x.sizes[1], line = x.sizes[2] * x.sizes[3], inner = x.sizes[3];
  const Steady steady(v);
  parallel_for(outer * w.rows, row_grain(line, w), [&](Int begin, Int end) {
    const Scratch memory((line + v.rows) * static_cast<Int>(sizeof(T)));
    T* const sums = static_cast<T*>(memory.get());
    for (Int row = begin; row < end; ++row) {
      const Int to = row * v.rows * inner;
      weighted_row(at(x, row / w.rows * size * line), x.dtype, sums, dtype_of<T>, line, w, row % w.rows);
      if (inner == 1) resample_line(sums, dtype_of<T>, line, at(y, to), y.dtype, v, steady, sums);
      else
        for (Int l = 0; l < v.rows; ++l) weighted_row(sums, dtype_of<T>, at(y, to + l * inner), y.dtype, inner, v, l);
    }
  });
}

void resample(const View& x, const View& y, const AxisWeights& w) { x.dtype == Dtype::float64 ? resample_axis<double>(x, y, w) : resample_axis<float>(x, y, w); }
void resample_plane(const View& x, const View& y, const AxisWeights& w, const AxisWeights& v) { x.dtype == Dtype::float64 ? resample_two<double>(x, y, w, v) : resample_two<float>(x, y, w, v); }

}  // namespace

void add_pool(ConvKernels& k) {
  k.max_pool = &max_pool;
  k.max_pool_gradient = &max_pool_gradient;
  k.pool_scatter = &pool_scatter;
  k.pool_gather = &pool_gather;
  k.resample = &resample;
  k.resample_plane = &resample_plane;
}

}  // namespace rill::cpu

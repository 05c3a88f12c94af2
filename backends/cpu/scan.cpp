// Running sums, products, extremes along an axis: one pass per line, lines shared out to threads. Floats accumulate in double.
#include <algorithm>
#include <cmath>

#include "backends/cpu/reduce.h"
#include "backends/api/functors/scalar.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

template <class T> inline constexpr bool real = std::is_floating_point_v<T>;
template <class T> using Wide = std::conditional_t<real<T>, double, T>;

struct Line { std::int64_t n, from, to, index; };  // length and strides

template <class T> void line(Scan what, const T* x, T* y, std::int64_t* index, const Line& l) {
  auto unsigned_of = [](auto v) { return static_cast<std::uint64_t>(v); };
  switch (what) {
    case Scan::sum: {
      Wide<T> s = 0;
      for (std::int64_t i = 0; i < l.n; ++i) {
        if constexpr (real<T>) s += x[i * l.from];
        else s = static_cast<T>(unsigned_of(s) + unsigned_of(x[i * l.from]));
        y[i * l.to] = static_cast<T>(s);
      }
      return;
    }
    case Scan::prod: {
      Wide<T> s = 1;
      for (std::int64_t i = 0; i < l.n; ++i) {
        if constexpr (real<T>) s *= x[i * l.from];
        else s = static_cast<T>(unsigned_of(s) * unsigned_of(x[i * l.from]));
        y[i * l.to] = static_cast<T>(s);
      }
      return;
    }
    case Scan::logsumexp:
      if constexpr (real<T>) {  // m + log(s): the largest value so far and the sum of e^(x - m)
        double m = -std::numeric_limits<double>::infinity(), s = 0;
        for (std::int64_t i = 0; i < l.n; ++i) {
          const double v = x[i * l.from];
          if (v > m) s = s * std::exp(m - v) + 1, m = v;
          else if (v == m && std::isinf(v)) s = 1;
          else s += std::exp(v - m);
          y[i * l.to] = static_cast<T>(std::isinf(m) && s == s ? m : m + std::log(s));
        }
      }
      return;
    case Scan::max:
    case Scan::min: {
      std::int64_t at = 0;
      for (std::int64_t i = 0; i < l.n; ++i) {  // the latest of equal values, as PyTorch; NaN stays
        const T v = x[i * l.from], best = x[at * l.from];
        if (best == best && (v != v || (what == Scan::max ? v >= best : v <= best))) at = i;
        else if (best != best && v != v) at = i;
        y[i * l.to] = x[at * l.from];
        index[i * l.index] = at;
      }
    }
  }
}

template <class T> void scan_as(Scan what, const View& x, int axis, const View& out, const View* indices) {
  const std::int64_t n = x.rank ? x.sizes[axis] : 1;
  if (x.numel == 0) return;
  const Line l{n, x.rank ? x.strides[axis] : 1, out.rank ? out.strides[axis] : 1, indices && x.rank ? indices->strides[axis] : 1};
  parallel_for(x.numel / n, std::max<std::int64_t>(1, (16 << 10) / n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      std::int64_t rest = r, from = 0, to = 0, index = 0;
      for (int a = x.rank - 1; a >= 0; --a) {
        if (a == axis) continue;
        const std::int64_t k = rest % x.sizes[a];
        rest /= x.sizes[a];
        from += k * x.strides[a], to += k * out.strides[a];
        if (indices) index += k * indices->strides[a];
      }
      line(what, x.as<const T>() + from, out.as<T>() + to, indices ? indices->as<std::int64_t>() + index : nullptr, l);
    }
  });
}

void scan(Scan what, const View& x, int axis, const View& out, const View* indices) {
  switch (x.dtype) {
    case Dtype::float32: return scan_as<float>(what, x, axis, out, indices);
    case Dtype::float64: return scan_as<double>(what, x, axis, out, indices);
    case Dtype::int64: return scan_as<std::int64_t>(what, x, axis, out, indices);
    case Dtype::int32: return scan_as<std::int32_t>(what, x, axis, out, indices);
    case Dtype::int16: return scan_as<std::int16_t>(what, x, axis, out, indices);
    case Dtype::int8: return scan_as<std::int8_t>(what, x, axis, out, indices);
    default: return scan_as<std::uint8_t>(what, x, axis, out, indices);
  }
}

}  // namespace

void add_scan(ReduceKernels& k) { k.scan = &scan; }

}  // namespace rill::cpu

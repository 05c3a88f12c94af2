// Sampling at free positions, made of differentiable ops: elements are rows of channels, every neighbour of a position is one selection
// of rows times a weight. Weights carry the gradient of the grid, selections that of x.
#include <rill/ops/grid.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <array>
#include <vector>

#include "autograd/autocast.h"
#include "autograd/cubic.h"
#include "autograd/record.h"
#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;

/// `value` with the derivative `slope` with respect to p; both were computed off the tape.
Tensor with_slope(const Tensor& p, const Tensor& value, const Tensor& slope) { return recording(p) ? value + (p - p.detach()) * slope : value; }

/// Positions pushed into [0, size - 1]; the slope is 0 at and beyond the ends.
Tensor bordered(const Tensor& p, Int size) { return hardtanh(p, 0, static_cast<double>(size - 1)); }

/// Mirrored at the centres of the end elements (align) or at their outer edges, as often as needed.
Tensor reflected(const Tensor& p, Int size, bool align) {
  const double low = align ? 0 : -0.5, span = static_cast<double>(align ? size - 1 : size);
  if (span == 0) return p * 0;
  Tensor value, slope;
  {
    NoGrad off;
    const Tensor from = p.detach() - low, away = abs(from), turns = floor(away / span), rest = fmod(away, span), odd = ne(fmod(turns, 2), 0);
    value = where(odd, span - rest, rest) + low;
    slope = where(logical_xor(lt(from, 0), odd), -1, ones_like(from));
  }
  return with_slope(p, value, slope);
}

/// One axis of all positions: for each neighbour its index, its weight, and, with zeros outside, whether it lies inside.
struct Taps {
  struct Tap { Tensor index, weight, inside; };
  std::vector<Tap> list;

  Taps(Tensor p, Int size, const GridSampleOptions& o) {
    p = o.align_corners ? (p + 1) * (static_cast<double>(size - 1) / 2) : ((p + 1) * static_cast<double>(size) - 1) / 2;
    const auto pushed = [&](const Tensor& q) {
      if (o.padding == GridPadding::zeros) return hardtanh(q, -3, static_cast<double>(size + 2));  // farther away there is nothing either
      return bordered(o.padding == GridPadding::border ? q : reflected(q, size, o.align_corners), size);
    };
    const auto add = [&](const Tensor& place, const Tensor& weight) {  // place: whole numbers
      NoGrad off;
      const Tensor last = clamp(place, 0, static_cast<double>(size - 1));
      list.push_back({last.to(Dtype::int64), weight, o.padding == GridPadding::zeros ? eq(place, last) : Tensor()});
    };
    if (o.mode == GridMode::nearest) {
      p = pushed(p);
      const Tensor place = round(p);  // its derivative is 0, and so is that of the weight
      add(place.detach(), place - place.detach() + 1);
      return;
    }
    if (o.mode == GridMode::linear) {
      p = pushed(p);
      const Tensor low = floor(p.detach()), t = p - low;
      add(low, 1 - t), add(low + 1, t);
      return;
    }
    if (o.padding == GridPadding::zeros) p = pushed(p);
    const Tensor low = floor(p.detach()), t = p - low;
    const std::array weights{cubic_far(t + 1), cubic_near(t), cubic_near(1 - t), cubic_far(2 - t)};
    NoGrad off;
    for (int k = 0; k < 4; ++k) add(pushed(low + (k - 1)), weights[static_cast<std::size_t>(k)]);
  }
};

void check_sample(const char* op, const Tensor& x, const Tensor& grid, const GridSampleOptions& o) {
  check_defined(op, x, "x");
  check_defined(op, grid, "the grid");
  check_same_device(op, x, grid);
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to()", x.dtype());
  check<DtypeError>(x.dtype() == grid.dtype(), op, "x has dtype {} and the grid {}; convert one with .to()", x.dtype(), grid.dtype());
  const Shape &s = x.shape(), &g = grid.shape();
  check<ShapeError>(s.rank() == 4 || s.rank() == 5, op, "takes x [N, C, H, W] or [N, C, D, H, W], got {}", s);
  check<ShapeError>(g.rank() == s.rank() && g[0] == s[0] && g.back() == s.rank() - 2, op, "x {} needs a grid of rank {} with {} first and {} last, got {}", s, s.rank(), s[0], s.rank() - 2, g);
  for (int a = 2; a < s.rank(); ++a) check<ShapeError>(s[a] > 0, op, "axis {} of x {} is empty; at least one element is needed", a, s);
  check<ShapeError>(o.mode != GridMode::cubic || s.rank() == 4, op, "mode cubic takes x of rank 4, got {}", s);
}

}  // namespace

Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& o) {
  if (amp::on()) [[unlikely]] return amp::widest(&grid_sample, x, grid, o);
  const OpRange here("grid_sample", x, grid);
  constexpr const char* op = "grid_sample";
  check_sample(op, x, grid, o);
  const Dtype d = x.dtype();
  if (d == float16 || d == bfloat16) return grid_sample(x.to(float32), grid.to(float32), o).to(d);
  const Shape& s = x.shape();
  const int axes = s.rank() - 2;
  Shape out{s[0]};
  for (int a = 0; a < axes; ++a) out.push_back(grid.size(a + 1));
  Shape channels_last = out;
  channels_last.push_back(s[1]);
  checked_numel(op, channels_last, d);
  Int elements = 1, positions = 1;  // of one sample
  for (int a = 0; a < axes; ++a) elements *= s[2 + a], positions *= out[1 + a];
  const Tensor first = mul(arange(s[0]).reshape({s[0], 1}), elements).to(x.device());  // row of a sample's first element
  std::vector<Taps> taps;
  for (int a = 0; a < axes; ++a) taps.emplace_back(grid.select(-1, axes - 1 - a).reshape({s[0], positions}), s[2 + a], o);

  Dims to_last{0}, to_second{0, axes + 1};
  for (int a = 0; a < axes; ++a) to_last.push_back(2 + a), to_second.push_back(1 + a);
  to_last.push_back(1);
  const Tensor rows = permute(x, to_last).reshape({s[0] * elements, s[1]});
  Tensor y;
  std::array<std::size_t, 3> at{};
  const auto next = [&] {  // the next combination of neighbours
    for (int a = axes - 1; a >= 0; --a) {
      if (++at[static_cast<std::size_t>(a)] < taps[static_cast<std::size_t>(a)].list.size()) return true;
      at[static_cast<std::size_t>(a)] = 0;
    }
    return false;
  };
  do {
    Tensor index, weight, inside;
    for (std::size_t a = 0; a < static_cast<std::size_t>(axes); ++a) {
      const Taps::Tap& tap = taps[a].list[at[a]];
      index = index.defined() ? index * s[2 + static_cast<int>(a)] + tap.index : tap.index;
      weight = weight.defined() ? weight * tap.weight : tap.weight;
      if (tap.inside.defined()) inside = inside.defined() ? logical_and(inside, tap.inside) : tap.inside;
    }
    if (inside.defined()) weight = where(logical_or(inside, isnan(weight.detach())), weight, 0);
    const Tensor part = index_select(rows, 0, (index + first).reshape({s[0] * positions})) * weight.reshape({s[0] * positions, 1});
    y = y.defined() ? y + part : part;
  } while (next());
  y = permute(y.reshape(channels_last), to_second);
  return y.contiguous(format_of(is_channels_last(x)));
}

Tensor affine_grid(const Tensor& theta, const Shape& size, const AffineGridOptions& o) {
  const OpRange here("affine_grid", theta);
  constexpr const char* op = "affine_grid";
  check_defined(op, theta, "theta");
  check<DtypeError>(is_floating(theta.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to()", theta.dtype());
  const int axes = size.rank() - 2;
  check<ShapeError>(axes == 2 || axes == 3, op, "takes a size [N, C, H, W] or [N, C, D, H, W], got {}", size);
  check<ShapeError>(theta.shape() == Shape{size[0], axes, axes + 1}, op, "size {} needs theta [{}, {}, {}], got {}", size, size[0], axes, axes + 1, theta.shape());
  checked_numel(op, size, theta.dtype());
  Shape places;
  Int count = 1;
  for (int a = 0; a < axes; ++a) {
    check<ShapeError>(size[2 + a] > 0, op, "axis {} of the size {} is empty; at least one element is needed", 2 + a, size);
    places.push_back(size[2 + a]), count *= size[2 + a];
  }
  std::vector<Tensor> coordinates;
  for (int a = axes - 1; a >= 0; --a) {  // x, y, z
    const Int n = places[a];
    const double end = o.align_corners ? (n > 1 ? 1 : 0) : static_cast<double>(n - 1) / static_cast<double>(n);
    Shape along(axes, 1);
    along[a] = n;
    coordinates.push_back(linspace(-end, end, n, {.dtype = theta.dtype(), .device = theta.device()}).reshape(along).expand(places));
  }
  coordinates.push_back(ones(places, {.dtype = theta.dtype(), .device = theta.device()}));
  const Tensor base = stack(coordinates, -1).reshape({count, axes + 1});
  Shape all = places;
  all.insert(0, size[0]), all.push_back(axes);
  return matmul(base, theta.mT()).reshape(all);
}

}  // namespace rill

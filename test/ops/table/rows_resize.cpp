// Padding, resizing, windows as columns, sampling: every element of the result from the elements of x that it is made of.
#include <algorithm>

#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

using Whole = std::function<Values(const std::vector<Plain>&)>;

// ---- padding: one pad of 1 before and 2 after the last axis, 1 before the one in front ----------------------------------------------

/// Where position p of an axis of n elements comes from; -1: nowhere.
using Source = Int (*)(Int p, Int n);
Int nowhere(Int p, Int n) { return p < 0 || p >= n ? -1 : p; }
Int mirror(Int p, Int n) { return p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p; }
Int border(Int p, Int n) { return std::clamp<Int>(p, 0, n - 1); }
Int around(Int p, Int n) { return (p + n) % n; }

Row pads(PadMode mode, Source source) {
  Row r{.name = "pad", .run = [mode](const Args& a) { return pad(a[0], {1, 2, 1, 0}, {.mode = mode}); }, .inputs = {{.shape = {2, 3, 4}}}, .kinds = kAll,
        .whole = [source](const std::vector<Plain>& in) {
          Values y;
          each_position({2, 4, 7}, [&](const Dims& o) { y.push_back(value_at(in[0], {o[0], source(o[1] - 1, 3), source(o[2] - 1, 4)})); });
          return y;
        },
        .bound = 0, .large = {{.shape = {3, 200, 301}}}};
  r.corners = {[mode](const Args& a, Int k) { return pad(a[0], {k, 0}, {.mode = mode}); }, [mode](const Args& a, Int k) { return pad(a[0], {0, 1, 0, k}, {.mode = mode}); },
               [mode](const Args& a, Int k) { return pad(a[0], {k, k}, {.mode = mode}); }};
  r.errors = {throws<ShapeError>("pad: pads [1] for x [2, 3]; expected a pair for each of at most 2 axes, the last axis first", [] { pad(ones({2, 3}), {1}); }),
              throws<ShapeError>("pad: pads -2, -2 crop axis 1 of [2, 3] below 0 elements", [] { pad(ones({2, 3}), {-2, -2}); })};
  if (mode == PadMode::reflect)
    r.errors.push_back(throws<ShapeError>("pad: pads 3, 0 are too large for axis 1 of [2, 3]; reflect padding takes at most 2", [] { pad(ones({2, 3}), {3, 0}, {.mode = PadMode::reflect}); }));
  return r;
}

// ---- resizing to 5 x 3: weights of the elements of one axis ---------------------------------------------------------------------------

using Weights = Values (*)(Int i, Int size, Int count);  // one per element of x
double center(Int i, Int size, Int count) { return (static_cast<double>(i) + 0.5) * static_cast<double>(size) / static_cast<double>(count) - 0.5; }
Values nearest(Int i, Int size, Int count) {
  Values w(static_cast<std::size_t>(size));
  w[static_cast<std::size_t>(i * size / count)] = 1;
  return w;
}
Values linear_at(double p, Int size) {
  Values w(static_cast<std::size_t>(size));
  for (Int k = 0; k < size; ++k) w[static_cast<std::size_t>(k)] = std::max(0.0, 1 - std::fabs(static_cast<double>(k) - p));
  return w;
}
Values linear(Int i, Int size, Int count) { return linear_at(std::clamp(center(i, size, count), 0.0, static_cast<double>(size - 1)), size); }
Values corners(Int i, Int size, Int count) { return linear_at(static_cast<double>(i) * static_cast<double>(size - 1) / static_cast<double>(count - 1), size); }
double keys(double d, double a) {
  d = std::fabs(d);
  return d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1 : d < 2 ? a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a : 0;
}
Values cubic(Int i, Int size, Int count) {
  const double p = center(i, size, count);
  Values w(static_cast<std::size_t>(size));
  for (Int k = static_cast<Int>(std::floor(p)) - 1; k <= static_cast<Int>(std::floor(p)) + 2; ++k) w[static_cast<std::size_t>(std::clamp<Int>(k, 0, size - 1))] += keys(static_cast<double>(k) - p, -0.75);
  return w;
}
Values box(Int i, Int size, Int count) {
  Values w(static_cast<std::size_t>(size));
  const Int from = i * size / count, to = ((i + 1) * size + count - 1) / count;
  for (Int k = from; k < to; ++k) w[static_cast<std::size_t>(k)] = 1 / static_cast<double>(to - from);
  return w;
}
/// A triangle as wide as the elements of the result, at least 1.
Values triangle(Int i, Int size, Int count) {
  const double wide = std::max(1.0, static_cast<double>(size) / static_cast<double>(count)), p = center(i, size, count);
  Values w(static_cast<std::size_t>(size));
  double total = 0;
  for (Int k = 0; k < size; ++k) total += w[static_cast<std::size_t>(k)] = std::max(0.0, 1 - std::fabs(static_cast<double>(k) - p) / wide);
  for (double& v : w) v /= total;
  return w;
}
Row resized(ResizeOptions o, Weights weights, bool errors = false) {
  o.size = {5, 3};
  Row r{.name = "interpolate", .run = [o](const Args& a) { return interpolate(a[0], o); }, .inputs = {{.shape = {1, 2, 3, 7}}}, .kinds = kReal,
        .whole = [weights](const std::vector<Plain>& in) {
          Values y;
          each_position({1, 2, 5, 3}, [&](const Dims& p) {
            const Values rows = weights(p[2], 3, 5), columns = weights(p[3], 7, 3);
            long double s = 0;
            each_position({3, 7}, [&](const Dims& k) { s += static_cast<long double>(rows[static_cast<std::size_t>(k[0])]) * columns[static_cast<std::size_t>(k[1])] * value_at(in[0], {p[0], p[1], k[0], k[1]}); });
            y.push_back(static_cast<double>(s));
          });
          return y;
        },
        .bound = 16, .magnitude = 4, .roundings = 3, .large = {{.shape = {2, 20, 90, 91}}}};
  r.corners = {[o](const Args& a, Int k) { ResizeOptions c = o; c.size = {k, 2}; return interpolate(a[0], c); },
               [o](const Args& a, Int k) { ResizeOptions c = o; c.size = {}, c.scale = {static_cast<double>(k)}; return interpolate(a[0], c); }};
  if (!errors) r.errors = {throws<ValueError>("interpolate: takes either size or scale", [o] { ResizeOptions c = o; c.scale = {2.0}; interpolate(ones({1, 1, 2, 2}), c); })};
  else
    r.errors = {throws<ShapeError>("interpolate: takes x [N, C, spatial..] of rank 3 to 5, got [2, 2]", [] { interpolate(ones({2, 2}), {.size = 3}); }),
                throws<ValueError>("interpolate: antialias belongs to the modes linear and cubic on x of rank 4", [] { interpolate(ones({1, 1, 4}), {.size = 3, .mode = ResizeMode::linear, .antialias = true}); }),
                throws<ValueError>("interpolate: align_corners belongs to the modes linear and cubic", [] { interpolate(ones({1, 1, 4}), {.size = 3, .align_corners = true}); }),
                throws<ShapeError>("interpolate: axis 2 of [1, 1, 4] would go from 4 to 0 elements; both must be positive", [] { interpolate(ones({1, 1, 4}), {.size = 0}); })};
  return r;
}

// ---- windows as columns: kernel 2 x 3, stride 1 x 2, padding 1 x 0 of 3 x 5 ------------------------------------------------------------

const UnfoldOptions kWindows{.stride = {1, 2}, .padding = {1, 0}};
/// Calls f(channel, tap, position, place) for every element of every window of [2, 3, 5]; -1 for a place in the padding.
template <class F> void each_tap(F f) {
  each_position({2, 2, 3, 4, 2}, [&](const Dims& k) {
    const Int row = k[3] + k[1] - 1, column = k[4] * 2 + k[2];
    f(k[0], k[1] * 3 + k[2], k[3] * 2 + k[4], row < 0 || row >= 3 ? -1 : row * 5 + column);
  });
}
Row unfold_row() {
  Row r{.name = "unfold", .run = [](const Args& a) { return unfold(a[0], {2, 3}, kWindows); }, .inputs = {{.shape = {1, 2, 3, 5}}}, .kinds = kAll,
        .whole = [](const std::vector<Plain>& in) {
          Values y(2 * 6 * 8);
          each_tap([&](Int c, Int tap, Int p, Int place) { y[static_cast<std::size_t>((c * 6 + tap) * 8 + p)] = place < 0 ? 0 : in[0].v[static_cast<std::size_t>(c * 15 + place)]; });
          return y;
        },
        .bound = 0, .large = {{.shape = {2, 8, 60, 61}}}};
  r.corners = {[](const Args& a, Int k) { return unfold(a[0], k); }, [](const Args& a, Int k) { return unfold(a[0], 2, {.stride = k}); }, [](const Args& a, Int k) { return unfold(a[0], 2, {.padding = k}); },
               [](const Args& a, Int k) { return unfold(a[0], 2, {.dilation = k}); }};
  r.errors = {throws<ShapeError>("unfold: takes x [N, C, H, W] or [C, H, W], got [3]", [] { unfold(ones({3}), {2, 2}); }),
              throws<ShapeError>("unfold: a window of 9 elements does not fit 3 elements with padding 0", [] { unfold(ones({1, 3, 3}), PerAxis(9)); })};
  return r;
}
Row fold_row() {
  Row r{.name = "fold", .run = [](const Args& a) { return fold(a[0], {3, 5}, {2, 3}, kWindows); }, .inputs = {{.shape = {1, 12, 8}}}, .kinds = kNumbers,
        .whole = [](const std::vector<Plain>& in) {
          Values y(30);
          each_tap([&](Int c, Int tap, Int p, Int place) { if (place >= 0) y[static_cast<std::size_t>(c * 15 + place)] += in[0].v[static_cast<std::size_t>((c * 6 + tap) * 8 + p)]; });
          return y;
        },
        .bound = 4, .magnitude = 8};
  r.also = kBool;
  r.corners = {[](const Args& a, Int k) { return fold(a[0], {3, 5}, k); }, [](const Args& a, Int k) { return fold(a[0], k, {2, 3}); }, [](const Args& a, Int k) { return fold(a[0], {3, 5}, {2, 3}, {.stride = k}); },
               [](const Args& a, Int k) { return fold(a[0], {3, 5}, {2, 3}, {.padding = k}); }, [](const Args& a, Int k) { return fold(a[0], {3, 5}, {2, 3}, {.dilation = k}); }};
  r.errors = {throws<ShapeError>("fold: columns [1, 12, 7] do not fit: axis 1 must be a multiple of 6 and axis 2 have 8 positions", [] { fold(ones({1, 12, 7}), {3, 5}, {2, 3}, kWindows); }),
              throws<ShapeError>("fold: takes columns [N, C kernel, positions] or [C kernel, positions], got [3]", [] { fold(ones({3}), {3, 5}, {2, 3}); })};
  return r;
}

// ---- sampling ------------------------------------------------------------------------------------------------------------------------

/// Bilinear at a pixel position, zeros outside.
double bilinear_at(const Plain& x, Int n, Int c, double row, double column) {
  double s = 0;
  for (Int i = 0; i < x.size(2); ++i)
    for (Int j = 0; j < x.size(3); ++j) s += std::max(0.0, 1 - std::fabs(static_cast<double>(i) - row)) * std::max(0.0, 1 - std::fabs(static_cast<double>(j) - column)) * value_at(x, {n, c, i, j});
  return s;
}
Row grid_row() {
  Row r{.name = "grid_sample", .run = [](const Args& a) { return grid_sample(a[0], a[1]); },
        .inputs = {{.shape = {2, 2, 3, 4}}, {.shape = {2, 2, 3, 2}, .low = -1.2, .high = 1.2, .kinks = {-1, -5. / 6, -0.75, -0.5, -0.25, -1. / 6, 0, 1. / 6, 0.25, 0.5, 0.75, 5. / 6, 1}}}, .kinds = kReal,
        .whole = [](const std::vector<Plain>& in) {
          Values y;
          each_position({2, 2, 2, 3}, [&](const Dims& o) {
            const double u = value_at(in[1], {o[0], o[2], o[3], 0}), v = value_at(in[1], {o[0], o[2], o[3], 1});
            y.push_back(bilinear_at(in[0], o[0], o[1], ((v + 1) * 3 - 1) / 2, ((u + 1) * 4 - 1) / 2));
          });
          return y;
        },
        .bound = 64, .magnitude = 8, .roundings = 2, .large = {{.shape = {2, 5, 60, 61}}, {.shape = {2, 70, 71, 2}, .low = -1.2, .high = 1.2}}};
  r.errors = {throws<ShapeError>("grid_sample: x [2, 3, 4, 5] needs a grid of rank 4 with 2 first and 2 last, got [1, 6, 7, 2]", [] { grid_sample(ones({2, 3, 4, 5}), zeros({1, 6, 7, 2})); }),
              throws<DtypeError>("grid_sample: x has dtype float32 and the grid float64; convert one with .to()", [] { grid_sample(ones({1, 1, 2, 2}), zeros({1, 1, 1, 2}, {.dtype = float64})); })};
  return r;
}
Row smooth_grid_row(GridMode mode, GridPadding padding) {  // values: grid.cpp; here derivatives of both orders
  Row r{.name = "grid_sample", .run = [=](const Args& a) { return grid_sample(a[0], a[1], {.mode = mode, .padding = padding, .align_corners = true}); },
        .inputs = {{.shape = {1, 2, 3, 4}}, {.shape = {1, 2, 2, 2}, .low = -1.9, .high = 1.9, .kinks = {-2, -5. / 3, -4. / 3, -1, -1. / 3, 0, 1. / 3, 1, 4. / 3, 5. / 3, 2}}}, .kinds = kReal};
  r.errors = {throws<ShapeError>("grid_sample: takes x [N, C, H, W] or [N, C, D, H, W], got [3, 4]", [mode] { grid_sample(ones({3, 4}), zeros({1, 1, 1, 2}), {.mode = mode}); })};
  return r;
}
Row affine_row() {
  Row r{.name = "affine_grid", .run = [](const Args& a) { return affine_grid(a[0], {2, 1, 2, 3}); }, .inputs = {{.shape = {2, 2, 3}}}, .kinds = kReal,
        .whole = [](const std::vector<Plain>& in) {
          Values y;
          each_position({2, 2, 3, 2}, [&](const Dims& o) {
            const double u = (2. * static_cast<double>(o[2]) + 1) / 3 - 1, v = (2. * static_cast<double>(o[1]) + 1) / 2 - 1;
            y.push_back(value_at(in[0], {o[0], o[3], 0}) * u + value_at(in[0], {o[0], o[3], 1}) * v + value_at(in[0], {o[0], o[3], 2}));
          });
          return y;
        },
        .bound = 8, .magnitude = 6, .roundings = 4};
  r.corners = {[](const Args& a, Int k) { return affine_grid(a[0], {2, k, 2, 3}); }, [](const Args& a, Int k) { return affine_grid(a[0], {2, 1, k, 3}); }, [](const Args& a, Int k) { return affine_grid(a[0], {k, 1, 2, 2}); }};
  r.errors = {throws<ShapeError>("affine_grid: size [2, 1, 4, 4] needs theta [2, 2, 3], got [1, 2, 3]", [] { affine_grid(ones({1, 2, 3}), {2, 1, 4, 4}); })};
  return r;
}

}  // namespace

std::vector<Row> rows_resize() {
  return {
      pads(PadMode::constant, nowhere), pads(PadMode::reflect, mirror), pads(PadMode::replicate, border), pads(PadMode::circular, around),
      resized({}, nearest, true), resized({.mode = ResizeMode::linear}, linear), resized({.mode = ResizeMode::linear, .align_corners = true}, corners), resized({.mode = ResizeMode::cubic}, cubic),
      resized({.mode = ResizeMode::area}, box), resized({.mode = ResizeMode::linear, .antialias = true}, triangle),
      unfold_row(), fold_row(), grid_row(), smooth_grid_row(GridMode::linear, GridPadding::reflection), smooth_grid_row(GridMode::linear, GridPadding::border),
      smooth_grid_row(GridMode::cubic, GridPadding::zeros), affine_row(),
  };
}

}  // namespace rill::optable

// Pools by their definition: the elements of every window are listed and then reduced.
#include <algorithm>

#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

/// One window on one axis: the positions inside x, and its length with padding but without what overhangs.
struct Span {
  std::vector<Int> taps;
  Int padded;
};
struct Steps {
  Int kernel = 2, stride = 2, padding = 0, dilation = 1;
  bool ceil_mode = false;
};
std::vector<Span> sliding(Int size, const Steps& s) {
  const Int reach = s.dilation * (s.kernel - 1) + 1, room = size + 2 * s.padding - reach;
  Int count = (room + (s.ceil_mode ? s.stride - 1 : 0)) / s.stride + 1;
  if (s.ceil_mode && (count - 1) * s.stride >= size + s.padding) --count;
  std::vector<Span> spans;
  for (Int i = 0; i < count; ++i) {
    const Int from = i * s.stride - s.padding;
    Span span{{}, std::min(from + reach, size + s.padding) - from};
    for (Int k = 0; k < s.kernel; ++k)
      if (const Int p = from + k * s.dilation; p >= 0 && p < size) span.taps.push_back(p);
    spans.push_back(span);
  }
  return spans;
}
std::vector<Span> adaptive(Int size, Int count) {
  std::vector<Span> spans;
  for (Int i = 0; i < count; ++i) {
    Span span{{}, 0};
    for (Int p = i * size / count; p < ((i + 1) * size + count - 1) / count; ++p) span.taps.push_back(p);
    span.padded = static_cast<Int>(span.taps.size());
    spans.push_back(span);
  }
  return spans;
}

struct Window {
  std::vector<std::pair<double, Int>> elements;  // values and places among the spatial positions
  double padded;                                 // size with padding
};
/// f of every window of every channel.
template <class F> Values pooled(const Plain& x, const std::vector<std::vector<Span>>& spans, F f) {
  const int axes = static_cast<int>(spans.size());
  Dims out{x.size(0), x.size(1)};
  for (const auto& s : spans) out.push_back(static_cast<Int>(s.size()));
  Values y;
  each_position(out, [&](const Dims& o) {
    Dims counts;
    Window w{{}, 1};
    for (int a = 0; a < axes; ++a) {
      const Span& s = spans[static_cast<std::size_t>(a)][static_cast<std::size_t>(o[2 + a])];
      counts.push_back(static_cast<Int>(s.taps.size())), w.padded *= static_cast<double>(s.padded);
    }
    each_position(counts, [&](const Dims& k) {
      Dims at{o[0], o[1]};
      Int place = 0;
      for (int a = 0; a < axes; ++a) {
        at.push_back(spans[static_cast<std::size_t>(a)][static_cast<std::size_t>(o[2 + a])].taps[static_cast<std::size_t>(k[a])]);
        place = place * x.size(2 + a) + at[2 + a];
      }
      w.elements.push_back({value_at(x, at), place});
    });
    y.push_back(f(w));
  });
  return y;
}

double sum_of(const Window& w) {
  long double s = 0;
  for (const auto& [v, place] : w.elements) s += v;
  return static_cast<double>(s);
}
double largest_of(const Window& w) {
  double best = w.elements[0].first;
  for (const auto& [v, place] : w.elements) best = std::max(best, v);
  return best;
}
double place_of(const Window& w) {
  auto best = w.elements[0];
  for (const auto& e : w.elements)
    if (e.first > best.first) best = e;
  return static_cast<double>(best.second);
}
double mean_padded(const Window& w) { return sum_of(w) / w.padded; }
double mean_inside(const Window& w) { return sum_of(w) / static_cast<double>(w.elements.size()); }

using Reduce = double (*)(const Window&);
std::function<Values(const std::vector<Plain>&)> slide(const Steps& s, Reduce f) {
  return [=](const std::vector<Plain>& in) {
    std::vector<std::vector<Span>> spans;
    for (int a = 2; a < in[0].shape.rank(); ++a) spans.push_back(sliding(in[0].size(a), s));
    return pooled(in[0], spans, f);
  };
}
std::function<Values(const std::vector<Plain>&)> adapt(Int size, Reduce f) {
  return [=](const std::vector<Plain>& in) {
    std::vector<std::vector<Span>> spans;
    for (int a = 2; a < in[0].shape.rank(); ++a) spans.push_back(adaptive(in[0].size(a), size));
    return pooled(in[0], spans, f);
  };
}

const Shape kSmall[] = {{2, 2, 7}, {1, 2, 5, 4}, {1, 2, 3, 4, 3}}, kLarge[] = {{3, 5, 4001}, {2, 20, 50, 41}, {2, 3, 20, 21, 22}};
std::string rank_error(const char* op, int axes) {
  return std::string(op) + ": takes x [N, C, spatial..] of rank " + std::to_string(axes + 2) + " or [C, spatial..] of rank " + std::to_string(axes + 1) + ", got [3]";
}
Row row(const char* name, int axes, std::function<Tensor(const Tensor&)> f, std::function<Values(const std::vector<Plain>&)> whole, unsigned kinds, std::vector<ErrorCase> errors = {}) {
  std::string op = name;
  if (const auto tail = op.find("_with_indices"); tail != std::string::npos) op.resize(tail);
  errors.push_back(throws<ShapeError>(rank_error(op.c_str(), axes), [f] { f(ones({3})); }));
  return {.name = name, .run = [f](const Args& a) { return f(a[0]); }, .inputs = {{.shape = kSmall[axes - 1]}}, .kinds = kinds, .whole = std::move(whole), .bound = 8, .magnitude = 4,
          .roundings = kinds == kNumbers ? 1 : axes, .large = {{.shape = kLarge[axes - 1]}}, .errors = std::move(errors)};
}
Row places(Row r) {
  r.result = Result::int64, r.differentiable = false;
  return r;
}

const Steps kSteps{.kernel = 3, .stride = 2, .padding = 1}, kOverhang{.kernel = 2, .stride = 3, .ceil_mode = true};
const MaxPoolOptions kMax{.stride = 2, .padding = 1};
const AvgPoolOptions kAverage{.stride = 2, .padding = 1}, kInside{.stride = 3, .ceil_mode = true, .count_include_pad = false};

template <class MaxOf, class MaxAt, class Average> void add_sliding(std::vector<Row>& list, int axes, const char* const (&names)[3], MaxOf max_of, MaxAt max_at, Average average) {
  const auto wide = [&](const char* what) { return std::string(what) + ": padding 2 is more than half of the window of 3 elements"; };
  const Tensor x = ones(kSmall[axes - 1]);
  list.push_back(row(names[0], axes, [=](const Tensor& x) { return max_of(x, 3, kMax); }, slide(kSteps, largest_of), kNumbers,
                     {throws<ValueError>(wide(names[0]), [=] { max_of(x, 3, {.padding = 2}); })}));
  list.back().corners = {[=](const Args& a, Int k) { return max_of(a[0], k, {}); }, [=](const Args& a, Int k) { return max_of(a[0], 2, {.stride = k}); },
                         [=](const Args& a, Int k) { return max_of(a[0], 2, {.padding = k}); }, [=](const Args& a, Int k) { return max_of(a[0], 2, {.dilation = k, .ceil_mode = true}); }};
  list.push_back(places(row(names[1], axes, [=](const Tensor& x) { return max_at(x, 3, kMax).indices; }, slide(kSteps, place_of), kNumbers)));
  list.push_back(row(names[2], axes, [=](const Tensor& x) { return average(x, 3, kAverage); }, slide(kSteps, mean_padded), kReal,
                     {throws<ValueError>(wide(names[2]), [=] { average(x, 3, {.padding = 2}); })}));
  list.back().corners = {[=](const Args& a, Int k) { return average(a[0], k, {}); }, [=](const Args& a, Int k) { return average(a[0], 2, {.stride = k}); },
                         [=](const Args& a, Int k) { return average(a[0], 2, {.padding = k, .ceil_mode = true}); }, [=](const Args& a, Int k) { return average(a[0], 2, {.divisor_override = k}); }};
  list.push_back(row(names[2], axes, [=](const Tensor& x) { return average(x, 2, kInside); }, slide(kOverhang, mean_inside), kReal));
}
template <class MaxOf, class MaxAt, class Average> void add_adaptive(std::vector<Row>& list, int axes, const char* const (&names)[3], MaxOf max_of, MaxAt max_at, Average average) {
  const Tensor x = ones(kSmall[axes - 1]);
  const auto negative = [&](const char* what) { return std::string(what) + ": output size -2 is no size; give at least 0, or -1 for that of x"; };
  list.push_back(row(names[0], axes, [=](const Tensor& x) { return max_of(x, 3); }, adapt(3, largest_of), kNumbers, {throws<ValueError>(negative(names[0]), [=] { max_of(x, -2); })}));
  list.back().corners = {[=](const Args& a, Int k) { return max_of(a[0], k); }};
  list.push_back(places(row(names[1], axes, [=](const Tensor& x) { return max_at(x, 3).indices; }, adapt(3, place_of), kNumbers)));
  list.push_back(row(names[2], axes, [=](const Tensor& x) { return average(x, 3); }, adapt(3, mean_inside), kReal, {throws<ValueError>(negative(names[2]), [=] { average(x, -2); })}));
  list.back().corners = {[=](const Args& a, Int k) { return average(a[0], k); }};
}

/// (sum of squares)^(1/2) of whole windows.
double square_root_of(const Window& w) {
  long double s = 0;
  for (const auto& [v, place] : w.elements) s += static_cast<long double>(v) * v;
  return static_cast<double>(std::sqrt(s));
}
const Steps kPlain{.kernel = 2, .stride = 1};

template <class F> Row lp(const char* name, int axes, F f) {
  const Tensor x = ones(kSmall[axes - 1]);
  Row r = row(name, axes, [f](const Tensor& x) { return f(x, 2, 2, {.stride = 1}); }, slide(kPlain, square_root_of), kReal,
              {throws<ValueError>(std::string(name) + ": p is 0; use a finite number other than 0", [f, x] { f(x, 0, 2, {}); })});
  r.bound = 16, r.roundings = 4;
  r.corners = {[f](const Args& a, Int k) { return f(a[0], 2, k, {}); }, [f](const Args& a, Int k) { return f(a[0], 2, 2, {.stride = k}); }};
  return r;
}

/// The elements of x at every second place of the last axis, zeros between them.
template <class F> Row unpool(const char* name, int axes, F f) {
  const auto run = [f](const Tensor& x) {
    Shape s = x.shape();
    Int places = 1, wide = 1;
    for (int a = 2; a < s.rank(); ++a) places *= s[a];
    for (int a = 2; a < s.rank(); ++a) wide *= 2 * s[a];
    const Tensor at = arange(places, on(x)).reshape([&] { Shape one = s; one[0] = one[1] = 1; return one; }()).expand(s);
    return f(x, at * (wide / std::max<Int>(1, places)), 2, {});
  };
  Row r = row(name, axes, run, [](const std::vector<Plain>& in) {
    const Plain& x = in[0];
    Int places = 1, wide = 1;
    for (int a = 2; a < x.shape.rank(); ++a) places *= x.size(a), wide *= 2 * x.size(a);
    Values y(static_cast<std::size_t>(x.size(0) * x.size(1) * wide));
    for (Int c = 0; c < x.size(0) * x.size(1); ++c)
      for (Int i = 0; i < places; ++i) y[static_cast<std::size_t>(c * wide + i * (wide / places))] = x.v[static_cast<std::size_t>(c * places + i)];
    return y;
  }, kNumbers);
  const Tensor x = ones(kSmall[axes - 1]), at = zeros(kSmall[axes - 1], {.dtype = int64});
  r.errors = {throws<ShapeError>(std::string(name) + ": indices have shape [1], x " + to_string(x.shape()) + "; they must be equal", [f, x] { f(x, zeros({1}, {.dtype = int64}), 2, {}); }),
              throws<DtypeError>(std::string(name) + ": indices have dtype float32, expected int64", [f, x] { f(x, x, 2, {}); }),
              throws<ShapeError>(std::string(name) + ": output size 99 on axis 2 does not fit; windows of x " + to_string(x.shape()) + " give " + std::to_string(2 * x.size(2)) + ", and it may differ by less than the stride 2",
                                 [f, x, at] { f(x, at, 2, {.output_size = 99}); }),
              throws<IndexError>("scatter: index 999 at [0, 0, 0] is outside axis 2 of size " + std::to_string((1 << axes) * x.numel() / x.size(0) / x.size(1)) + "; valid are 0 to " +
                                     std::to_string((1 << axes) * x.numel() / x.size(0) / x.size(1) - 1), [f, x, at] { f(x, at + 999, 2, {}); })};
  r.corners = {[f, at](const Args& a, Int k) { return f(a[0], at, k, {}); }, [f, at](const Args& a, Int k) { return f(a[0], at, 2, {.stride = k}); },
               [f, at](const Args& a, Int k) { return f(a[0], at, 2, {.padding = k}); }, [f, at](const Args& a, Int k) { return f(a[0], at + k, 2, {}); },
               [f, at](const Args& a, Int k) { return f(a[0], at, 2, {.output_size = k}); }};
  return r;
}

/// Windows of fractional pooling: starts floor((i + u) step) - floor(u step), the last one at the end.
std::function<Values(const std::vector<Plain>&)> fraction(Int count, Reduce f) {
  return [=](const std::vector<Plain>& in) {
    const Plain &x = in[0], &u = in[1];
    const int axes = x.shape.rank() - 2;
    Values y;
    for (Int plane = 0; plane < x.size(0) * x.size(1); ++plane) {
      std::vector<std::vector<Span>> spans;
      Plain one{{1, 1}, {}};
      Int places = 1;
      for (int a = 0; a < axes; ++a) {
        const Int size = x.size(2 + a);
        const double sample = u.v[static_cast<std::size_t>(plane * axes + a)], step = static_cast<double>(size - 2) / static_cast<double>(count - 1);
        std::vector<Span> axis;
        for (Int i = 0; i < count; ++i) {
          const Int from = i == count - 1 ? size - 2 : static_cast<Int>((static_cast<double>(i) + sample) * step) - static_cast<Int>(sample * step);
          axis.push_back({{from, from + 1}, 2});
        }
        spans.push_back(axis);
        one.shape.push_back(size), places *= size;
      }
      one.v.assign(x.v.begin() + plane * places, x.v.begin() + (plane + 1) * places);
      for (double v : pooled(one, spans, f)) y.push_back(v);
    }
    return y;
  };
}
template <class F> Row fractional(const char* name, int axes, F f, Reduce reduce) {
  Row r = row(name, axes, [](const Tensor& x) { return x; }, fraction(3, reduce), kReal);
  r.inputs = {{.shape = axes == 2 ? Shape{1, 2, 5, 4} : Shape{1, 2, 4, 5, 4}}, {.shape = {1, 2, axes}, .low = 0, .high = 0.99, .dtype = float64}};
  r.large = {{.shape = kLarge[axes - 1]}, {.shape = {2, axes == 2 ? 20 : 3, axes}, .low = 0, .high = 0.99, .dtype = float64}};
  r.run = [f](const Args& a) { return f(a[0], {.size = 3, .samples = a[1]}); };
  r.required = 1;
  const Tensor x = ones(kSmall[axes - 1]);
  const std::string op = axes == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d";
  r.errors = {throws<ValueError>(op + ": takes either size or ratio", [f, x] { f(x, {}); }), throws<ValueError>(op + ": ratio 1.5 is outside (0, 1)", [f, x] { f(x, {.ratio = {1.5}}); }),
              throws<ValueError>(op + ": ratio has 4 values; expected 1 or " + std::to_string(axes), [f, x] { f(x, {.ratio = {0.5, 0.5, 0.5, 0.5}}); }),
              throws<ValueError>(op + ": kernel 2 and output size 0 must be at least 1", [f, x] { f(x, {.size = 0}); }),
              throws<ShapeError>(op + ": 9 windows of 2 elements do not fit axis 2 of " + to_string(x.shape()), [f, x] { f(x, {.size = 9}); }),
              throws<ValueError>(op + ": sample 1 at position 0 is outside [0, 1)", [f, x, axes] { f(x, {.size = 2, .samples = ones({1, 2, axes})}); }),
              throws<ShapeError>(op + ": samples have shape [1], expected [1, 2, " + std::to_string(axes) + "]", [f, x] { f(x, {.size = 2, .samples = zeros({1})}); })};
  r.corners = {[f](const Args& a, Int k) { return f(a[0], {.size = k}); }};
  return r;
}

}  // namespace

std::vector<Row> rows_pool() {
  std::vector<Row> list;
  add_sliding(list, 1, {"max_pool1d", "max_pool1d_with_indices", "avg_pool1d"}, max_pool1d, max_pool1d_with_indices, avg_pool1d);
  add_sliding(list, 2, {"max_pool2d", "max_pool2d_with_indices", "avg_pool2d"}, max_pool2d, max_pool2d_with_indices, avg_pool2d);
  add_sliding(list, 3, {"max_pool3d", "max_pool3d_with_indices", "avg_pool3d"}, max_pool3d, max_pool3d_with_indices, avg_pool3d);
  add_adaptive(list, 1, {"adaptive_max_pool1d", "adaptive_max_pool1d_with_indices", "adaptive_avg_pool1d"}, adaptive_max_pool1d, adaptive_max_pool1d_with_indices, adaptive_avg_pool1d);
  add_adaptive(list, 2, {"adaptive_max_pool2d", "adaptive_max_pool2d_with_indices", "adaptive_avg_pool2d"}, adaptive_max_pool2d, adaptive_max_pool2d_with_indices, adaptive_avg_pool2d);
  add_adaptive(list, 3, {"adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "adaptive_avg_pool3d"}, adaptive_max_pool3d, adaptive_max_pool3d_with_indices, adaptive_avg_pool3d);
  const auto lp_pool = [](auto f) { return [f](const Tensor& x, double p, Int kernel, const LpPoolOptions& o) { return f(x, p, kernel, o); }; };
  list.push_back(lp("lp_pool1d", 1, lp_pool(lp_pool1d)));
  list.push_back(lp("lp_pool2d", 2, lp_pool(lp_pool2d)));
  list.push_back(lp("lp_pool3d", 3, lp_pool(lp_pool3d)));
  const auto max_unpool = [](auto f) { return [f](const Tensor& x, const Tensor& at, Int kernel, const MaxUnpoolOptions& o) { return f(x, at, kernel, o); }; };
  list.push_back(unpool("max_unpool1d", 1, max_unpool(max_unpool1d)));
  list.push_back(unpool("max_unpool2d", 2, max_unpool(max_unpool2d)));
  list.push_back(unpool("max_unpool3d", 3, max_unpool(max_unpool3d)));
  const auto pool = [](auto f) { return [f](const Tensor& x, const FractionalPoolOptions& o) { return f(x, 2, o, Generator(3)); }; };
  const auto pool_places = [](auto f) { return [f](const Tensor& x, const FractionalPoolOptions& o) { return f(x, 2, o, Generator(3)).indices; }; };
  list.push_back(fractional("fractional_max_pool2d", 2, pool(fractional_max_pool2d), largest_of));
  list.push_back(fractional("fractional_max_pool3d", 3, pool(fractional_max_pool3d), largest_of));
  list.push_back(places(fractional("fractional_max_pool2d_with_indices", 2, pool_places(fractional_max_pool2d_with_indices), place_of)));
  list.push_back(places(fractional("fractional_max_pool3d_with_indices", 3, pool_places(fractional_max_pool3d_with_indices), place_of)));
  return list;
}

}  // namespace rill::optable

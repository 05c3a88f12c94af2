// Interpolation: every mode is a sparse matrix per axis. Windows as columns: selections along both axes.
#include <rill/ops/resize.h>

#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/pad.h>
#include <rill/ops/pool.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <cmath>

#include "autograd/autocast.h"
#include "autograd/cubic.h"
#include "autograd/resample.h"
#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;

/// The matrix of one axis; `step` is the distance of neighbours of the result in elements of x.
std::shared_ptr<const AxisMap> axis_map(const char* op, ResizeMode mode, Int size, Int count, double step, bool align) {
  AxisMap::Half rows;
  checked_reserve(op, rows.offsets, count), checked_reserve(op, rows.indices, count), checked_reserve(op, rows.weights, count);
  const auto inside = [&](double p) { return std::clamp<Int>(static_cast<Int>(p), 0, size - 1); };
  for (Int i = 0; i < count; ++i, rows.end_row()) {
    const double center = align ? static_cast<double>(i) * step : (static_cast<double>(i) + 0.5) * step - 0.5;
    if (mode == ResizeMode::nearest || mode == ResizeMode::nearest_exact) {
      const float at = static_cast<float>(i) + (mode == ResizeMode::nearest ? 0.0f : 0.5f);  // in float32 for every dtype, as PyTorch does
      rows.entry(inside(std::floor(at * static_cast<float>(step))), 1);
    } else if (mode == ResizeMode::linear) {
      const double p = std::max(0.0, center), low = std::floor(p);
      const Int first = inside(low), second = std::min(first + 1, size - 1);
      const double t = p - low;
      if (second == first) rows.entry(first, 1);
      else rows.entry(first, 1 - t), rows.entry(second, t);
    } else {
      const double low = std::floor(center);
      const double t = center - low, w[] = {cubic_far(1 + t), cubic_near(t), cubic_near(1 - t), cubic_far(2 - t)};
      for (int k = 0; k < 4; ++k) rows.entry(std::clamp<Int>(static_cast<Int>(low) + k - 1, 0, size - 1), w[k]);
    }
  }
  return std::make_shared<const AxisMap>(size, std::move(rows));
}

/// The same with a filter as wide as the result's elements: what lies between them is averaged instead of skipped (as in Pillow).
std::shared_ptr<const AxisMap> antialias_map(const char* op, ResizeMode mode, Int size, Int count, double step) {
  const auto filter = [&](double d) {
    if (mode == ResizeMode::linear) return std::max(0.0, 1 - d);
    return d < 1 ? cubic_near(d, kKeysAntialias) : d < 2 ? cubic_far(d, kKeysAntialias) : 0.0;
  };
  const double width = std::max(1.0, step), reach = (mode == ResizeMode::linear ? 1 : 2) * width;
  AxisMap::Half rows;
  checked_reserve(op, rows.offsets, count), checked_reserve(op, rows.indices, count), checked_reserve(op, rows.weights, count);
  std::vector<double> weights;
  for (Int i = 0; i < count; ++i, rows.end_row()) {
    const double center = (static_cast<double>(i) + 0.5) * step;
    const Int first = std::max<Int>(0, static_cast<Int>(center - reach + 0.5)), last = std::min(size, static_cast<Int>(center + reach + 0.5));
    weights.clear();
    double total = 0;
    for (Int k = first; k < last; ++k) weights.push_back(filter(std::abs((static_cast<double>(k) + 0.5 - center) / width))), total += weights.back();
    for (Int k = first; k < last; ++k) rows.entry(k, weights[static_cast<std::size_t>(k - first)] / total);
  }
  return std::make_shared<const AxisMap>(size, std::move(rows));
}

}  // namespace

Tensor interpolate(const Tensor& x, const ResizeOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&interpolate, x, o);
  const OpRange here("interpolate", x);
  const char* op = "interpolate";
  check_defined(op, x);
  const Shape& s = impl(x).shape;
  const int axes = s.rank() - 2;
  check<ShapeError>(axes >= 1 && axes <= 3, op, "takes x [N, C, spatial..] of rank 3 to 5, got {}", s);
  check<DtypeError>(is_floating(impl(x).dtype), op, "{} is not supported (expected a floating dtype); convert with .to()", impl(x).dtype);
  check<ValueError>((o.size.count() == 0) != o.scale.empty(), op, "takes either size or scale");
  const bool smooth = o.mode == ResizeMode::linear || o.mode == ResizeMode::cubic;
  check<ValueError>(smooth || !o.align_corners, op, "align_corners belongs to the modes linear and cubic");
  check<ShapeError>(o.mode != ResizeMode::cubic || axes == 2, op, "mode cubic takes x of rank 4, got {}", s);
  check<ValueError>(!o.antialias || (smooth && axes == 2), op, "antialias belongs to the modes linear and cubic on x of rank 4");
  if (o.size.count()) check_count(op, "size", o.size, axes);
  else check<ValueError>(o.scale.size() == 1 || o.scale.size() == static_cast<std::size_t>(axes), op, "scale has {} values; expected 1 or {}", o.scale.size(), axes);
  Shape shape = s;
  Dims sizes;
  AxisMaps maps;
  for (int i = 0; i < axes; ++i) {
    const Int size = s[2 + i];
    const double factor = o.scale.empty() ? 0 : o.scale[o.scale.size() == 1 ? 0 : static_cast<std::size_t>(i)];
    check<ValueError>(o.scale.empty() || (factor > 0 && factor * static_cast<double>(size) < 1e18), op, "scale {} is not a positive factor", factor);
    const Int count = o.scale.empty() ? o.size[i] : static_cast<Int>(std::floor(static_cast<double>(size) * factor));
    check<ShapeError>(size > 0 && count > 0, op, "axis {} of {} would go from {} to {} elements; both must be positive", 2 + i, s, size, count);
    shape[2 + i] = count;
    sizes.push_back(count);
  }
  checked_numel(op, shape, impl(x).dtype);
  if (o.mode == ResizeMode::area) return axes == 1 ? adaptive_avg_pool1d(x, sizes) : axes == 2 ? adaptive_avg_pool2d(x, sizes) : adaptive_avg_pool3d(x, sizes);
  for (int i = 0; i < axes; ++i) {
    const Int size = s[2 + i], count = shape[2 + i];
    double step = static_cast<double>(size) / static_cast<double>(count);
    if (o.align_corners) step = count > 1 ? static_cast<double>(size - 1) / static_cast<double>(count - 1) : 0;
    else if (!o.scale.empty() && !o.recompute_scale) step = 1 / o.scale[o.scale.size() == 1 ? 0 : static_cast<std::size_t>(i)];
    maps.emplace_back(2 + i, o.antialias ? antialias_map(op, o.mode, size, count, step) : axis_map(op, o.mode, size, count, step, o.align_corners));
  }
  return resample(op, x, maps);
}

// ---- windows as columns -----------------------------------------------------------------------------------------------------------

namespace {

struct Columns {
  Int kernel[2], out[2], size[2], pad[2];
  Tensor places[2];  // kernel position x output position -> padded input position
};

Columns columns_of(const char* op, const PerAxis& kernel, const PerAxis& size, const UnfoldOptions& o) {
  const WindowGeometry w = window(op, 2, kernel, o.stride, o.padding, o.dilation);
  Columns c;
  for (int i = 0; i < 2; ++i) {
    const Int reach = window_reach(op, w, i), padded = checked_add(op, size[i], checked_mul(op, 2, w.before[i]));
    check<ShapeError>(padded >= reach, op, "a window of {} elements does not fit {} elements with padding {}", reach, size[i], w.before[i]);
    c.kernel[i] = w.kernel[i], c.size[i] = size[i], c.pad[i] = w.before[i], c.out[i] = (padded - reach) / w.stride[i] + 1;
    const Shape count{checked_mul(op, c.kernel[i], c.out[i])};
    checked_numel(op, count, Dtype::int64);
    const Tensor p = make_tensor(count, Dtype::int64, Device::cpu());
    Int* to = static_cast<Int*>(p.data_ptr());
    for (Int k = 0; k < c.kernel[i]; ++k)
      for (Int j = 0; j < c.out[i]; ++j) *to++ = j * w.stride[i] + k * w.dilation[i];
    c.places[i] = p;
  }
  return c;
}

}  // namespace

Tensor unfold(const Tensor& x, const PerAxis& kernel, const UnfoldOptions& o) {
  const OpRange here("unfold", x);
  check_defined("unfold", x);
  const Shape& s = impl(x).shape;
  check<ShapeError>(s.rank() == 3 || s.rank() == 4, "unfold", "takes x [N, C, H, W] or [C, H, W], got {}", s);
  if (s.rank() == 3) return unfold(x.unsqueeze(0), kernel, o).squeeze(0);
  const Columns c = columns_of("unfold", kernel, {s[2], s[3]}, o);
  Tensor y = pad(x, {c.pad[1], c.pad[1], c.pad[0], c.pad[0]});
  for (int i = 0; i < 2; ++i) y = index_select(y, 2 + i, c.places[i].to(x.device()));
  return y.reshape({s[0], s[1], c.kernel[0], c.out[0], c.kernel[1], c.out[1]}).permute({0, 1, 2, 4, 3, 5}).reshape({s[0], s[1] * c.kernel[0] * c.kernel[1], c.out[0] * c.out[1]});
}

Tensor fold(const Tensor& columns, const PerAxis& size, const PerAxis& kernel, const UnfoldOptions& o) {
  const OpRange here("fold", columns);
  check_defined("fold", columns);
  const Shape& s = impl(columns).shape;
  check<ShapeError>(s.rank() == 2 || s.rank() == 3, "fold", "takes columns [N, C kernel, positions] or [C kernel, positions], got {}", s);
  if (columns.dtype() == float16 || columns.dtype() == bfloat16) return fold(columns.to(float32), size, kernel, o).to(columns.dtype());
  if (s.rank() == 2) return fold(columns.unsqueeze(0), size, kernel, o).squeeze(0);
  check_count("fold", "size", size, 2);
  const Columns c = columns_of("fold", kernel, size, o);
  const Int taps = c.kernel[0] * c.kernel[1];
  check<ShapeError>(s[1] % taps == 0 && s[2] == c.out[0] * c.out[1], "fold", "columns {} do not fit: axis 1 must be a multiple of {} and axis 2 have {} positions", s, taps, c.out[0] * c.out[1]);
  const Int n = s[0], channels = s[1] / taps, height = c.size[0] + 2 * c.pad[0], width = c.size[1] + 2 * c.pad[1];
  const Options like{.dtype = columns.dtype(), .device = columns.device()};
  Tensor y = columns.reshape({n, channels, c.kernel[0], c.kernel[1], c.out[0], c.out[1]}).permute({0, 1, 2, 4, 3, 5}).reshape({n, channels, c.kernel[0] * c.out[0], c.kernel[1] * c.out[1]});
  y = index_add(zeros({n, channels, c.kernel[0] * c.out[0], width}, like), 3, c.places[1].to(columns.device()), y);
  y = index_add(zeros({n, channels, height, width}, like), 2, c.places[0].to(columns.device()), y);
  return pad(y, {-c.pad[1], -c.pad[1], -c.pad[0], -c.pad[0]});
}

}  // namespace rill

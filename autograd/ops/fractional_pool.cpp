// Fractional max pooling: the elements of all windows are gathered, their maxima taken.
// B. Graham, "Fractional max-pooling" (2014).
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/pool.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include <cmath>

#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;

/// Window starts of one plane and axis: increasing, the last window ends with the axis.
void starts(double sample, Int size, Int count, Int kernel, Int* to) {
  const double step = count > 1 ? static_cast<double>(size - kernel) / static_cast<double>(count - 1) : 0;
  for (Int i = 0; i + 1 < count; ++i) to[i] = static_cast<Int>((static_cast<double>(i) + sample) * step) - static_cast<Int>(sample * step);
  to[count - 1] = size - kernel;
}

PoolResult fractional(const char* op, int axes, const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& o, const Generator& generator) {
  check_defined(op, x);
  const Shape& s = x.shape();
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to()", x.dtype());
  check<ShapeError>(s.rank() == axes + 1 || s.rank() == axes + 2, op, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, s);
  if (s.rank() == axes + 1) {
    const PoolResult r = fractional(op, axes, x.unsqueeze(0), kernel, o, generator);
    return {r.values.squeeze(0), r.indices.squeeze(0)};
  }
  check_count(op, "kernel", kernel, axes);
  check<ValueError>((o.size.count() == 0) != o.ratio.empty(), op, "takes either size or ratio");
  if (o.size.count()) check_count(op, "size", o.size, axes);
  else check<ValueError>(o.ratio.size() == 1 || o.ratio.size() == static_cast<std::size_t>(axes), op, "ratio has {} values; expected 1 or {}", o.ratio.size(), axes);
  Shape out{s[0], s[1]};
  for (int i = 0; i < axes; ++i) {
    const double ratio = o.ratio.empty() ? 0.5 : o.ratio[o.ratio.size() == 1 ? 0 : static_cast<std::size_t>(i)];
    check<ValueError>(ratio > 0 && ratio < 1, op, "ratio {} is outside (0, 1)", ratio);
    const Int count = o.size.count() ? o.size[i] : static_cast<Int>(std::floor(static_cast<double>(s[2 + i]) * ratio));
    check<ValueError>(kernel[i] >= 1 && count >= 1, op, "kernel {} and output size {} must be at least 1", kernel[i], count);
    check<ShapeError>(s[2 + i] > 0 && count <= s[2 + i] && kernel[i] - 1 <= s[2 + i] - count, op, "{} windows of {} elements do not fit axis {} of {}", count, kernel[i], 2 + i, s);
    out.push_back(count);
  }
  const Shape wanted{s[0], s[1], axes};
  check<ShapeError>(!o.samples.defined() || o.samples.shape() == wanted, op, "samples have shape {}, expected {}", o.samples.defined() ? o.samples.shape() : Shape{}, wanted);
  const std::vector<double> samples = (o.samples.defined() ? o.samples : rand(wanted, {.dtype = Dtype::float64}, generator)).to_vector<double>();
  for (std::size_t i = 0; i < samples.size(); ++i) check<ValueError>(samples[i] >= 0 && samples[i] < 1, op, "sample {} at position {} is outside [0, 1)", samples[i], i);

  // row-major places of all elements of all windows: [planes, out.., kernel..]
  const Int planes = checked_mul(op, s[0], s[1]);
  Int elements = 1, positions = 1, taps = 1;
  for (int i = 0; i < axes; ++i) elements *= s[2 + i], positions *= out[2 + i], taps *= kernel[i];
  checked_numel(op, {planes, positions, taps}, Dtype::int64);
  Tensor places;
  for (int i = 0; i < axes; ++i) {
    Tensor from = make_tensor({planes, out[2 + i]}, Dtype::int64, Device::cpu());
    for (Int p = 0; p < planes; ++p) starts(samples[static_cast<std::size_t>(p * axes + i)], s[2 + i], out[2 + i], kernel[i], from.data<Int>() + p * out[2 + i]);
    Shape at(2 * axes + 1, 1), offset(2 * axes + 1, 1);
    at[0] = planes, at[1 + i] = out[2 + i], offset[1 + axes + i] = kernel[i];
    const Tensor along = from.to(x.device()).reshape(at) + arange(kernel[i], {.device = x.device()}).reshape(offset);
    places = i == 0 ? along : places * s[2 + i] + along;
  }
  places = places.reshape({planes, positions * taps});
  const ValuesIndices best = max(gather(x.reshape({planes, elements}), 1, places).reshape({planes, positions, taps}), -1, true);
  return {best.values.reshape(out), gather(places.reshape({planes, positions, taps}), 2, best.indices).reshape(out)};
}

}  // namespace

PoolResult fractional_max_pool2d_with_indices(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& o, const Generator& g) {
  const OpRange here("fractional_max_pool2d", x);
  return fractional("fractional_max_pool2d", 2, x, kernel, o, g);
}
PoolResult fractional_max_pool3d_with_indices(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& o, const Generator& g) {
  const OpRange here("fractional_max_pool3d", x);
  return fractional("fractional_max_pool3d", 3, x, kernel, o, g);
}
Tensor fractional_max_pool2d(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& o, const Generator& g) { return fractional_max_pool2d_with_indices(x, kernel, o, g).values; }
Tensor fractional_max_pool3d(const Tensor& x, const PerAxis& kernel, const FractionalPoolOptions& o, const Generator& g) { return fractional_max_pool3d_with_indices(x, kernel, o, g).values; }

}  // namespace rill

// Vector norms and logsumexp.
#include <cmath>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "autograd/record.h"
#include "autograd/reduction.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

/// sqrt(sum x^2). Squares of doubles may leave the range: then once more, scaled by the largest magnitude.
Tensor euclidean(const Tensor& x, const Dims& given, const AxisSet& axes) {
  const Tensor y = reduce(Reduce::root_of_squares, x, axes);
  if (x.dtype() != Dtype::float64 || axes.count == 0) return y;
  const Tensor odd = logical_or(lt(y, 1e-150), gt(y, 1e150));
  if (!any(odd).item<bool>()) return y;
  const Tensor top = amax(abs(x), given, true);
  const Tensor scale = where(logical_and(gt(top, 0), isfinite(top)), top, 1);
  return reduce(Reduce::root_of_squares, x / scale, axes) * reshape(scale, axes.out);
}

Tensor norm_value(const Tensor& x, double p, const Dims& given, const AxisSet& axes) {
  NoGrad off;
  if (p == 2) return euclidean(x, given, axes);
  if (p == 1) return reduce(Reduce::sum_of_magnitudes, x, axes);
  if (p == 0) return reduce(Reduce::sum, ne(x, 0), axes).to(x.dtype());
  if (p == kInf || p == -kInf) return reduce(p > 0 ? Reduce::max : Reduce::min, abs(x), axes);
  const Tensor wide = abs(x).to(compute_dtype(x.dtype()));
  return pow(reduce(Reduce::sum, pow(wide, p), axes), 1 / p).to(x.dtype());
}

/// Everything in the shape with kept axes.
Tensor norm_gradient(const Tensor& g, const Tensor& y, const Tensor& x, double p, const Dims& given) {
  if (p == 1) return g * sign(x);
  if (p == 0) return g * 0 * x;
  if (p == kInf || p == -kInf) {
    const Tensor chosen = eq(abs(x.detach()), y.detach());
    return g * sign(x) * (chosen.to(g.dtype()) / sum(chosen, given, true).to(g.dtype()));
  }
  const Tensor zero = eq(y, 0), safe = where(zero, 1, y);
  if (p == 2) return where(zero, 0, g / safe) * x;
  const Tensor place = eq(x, 0);  // |x|^(p-1) has no derivative to pass on at 0
  const Tensor power = where(place, p == 1 ? 1.0 : 0.0, pow(abs(where(place, 1, x)), p - 1));
  return where(zero, 0, g / pow(safe, p - 1)) * (sign(x) * power);
}

}  // namespace

Tensor norm(const Tensor& x, double p, const Dims& given, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&norm, x, p, given, keepdim);
  const OpRange here("norm", x);
  const AxisSet axes("norm", x, given, keepdim);
  check<DtypeError>(is_floating(x.dtype()), "norm", "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  check<ValueError>(axes.count > 0 || (p >= 0 && p != kInf), "norm", "{} has no elements on the reduced axes, and p = {} has no value for none", describe(x), p);
  return record("norm", norm_value(x.detach(), p, given, axes), grad(x, [x = save(x), p, given, kept = axes.kept](const Tensor& g, const Tensor& y) {
    return norm_gradient(reshape(g, kept), reshape(y, kept), x(), p, given);
  }));
}

Tensor l2_loss(const Tensor& x) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&l2_loss, x);
  const OpRange here("l2_loss", x);
  check_defined("l2_loss", x);
  check<DtypeError>(is_floating(x.dtype()), "l2_loss", "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  Tensor y;
  {
    NoGrad off;
    const Tensor wide = x.detach().to(compute_dtype(x.dtype()));
    y = (reduce(Reduce::sum_of_squares, wide, AxisSet("l2_loss", wide, {}, false)) * 0.5).to(x.dtype());
  }
  return record("l2_loss", std::move(y), grad(x, [x = save(x)](const Tensor& g) { return g * x(); }));
}

Tensor renorm(const Tensor& x, double p, std::int64_t axis, double max_norm) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&renorm, x, p, axis, max_norm);
  const OpRange here("renorm", x);
  constexpr const char* op = "renorm";
  check_defined(op, x);
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  check<ShapeError>(x.dim() >= 2, op, "{} has rank {}; expected 2 or more", describe(x), x.dim());
  check<ValueError>(p > 0 && max_norm > 0, op, "p is {} and max_norm {}; use numbers above 0", p, max_norm);
  axis = wrap_axis(op, axis, x.dim());
  Dims others;
  for (std::int64_t a = 0; a < x.dim(); ++a)
    if (a != axis) others.push_back(a);
  const Tensor wide = x.to(compute_dtype(x.dtype())), length = norm(wide, p, others, true), longer = gt(length.detach(), max_norm);
  return where(longer, wide * (max_norm / (where(longer, length, 1) + 1e-7)), wide).to(x.dtype());
}

Tensor logsumexp(const Tensor& x, const Dims& given, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&logsumexp, x, given, keepdim);
  const OpRange here("logsumexp", x);
  const AxisSet axes("logsumexp", x, given, keepdim);
  check<DtypeError>(is_floating(x.dtype()), "logsumexp", "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  Tensor y;
  {
    NoGrad off;
    const Tensor wide = x.to(compute_dtype(x.dtype()));
    const AxisSet keep("logsumexp", x, given, true);
    if (axes.count == 0) {
      y = log(reduce(Reduce::sum, wide, axes));
    } else {
      const Tensor top = reduce(Reduce::max, wide, keep), shift = where(isfinite(top), top, 0);
      y = log(reduce(Reduce::sum, exp(wide - shift), axes)) + reshape(shift, axes.out);
    }
    y = y.to(x.dtype());
  }
  return record("logsumexp", y, grad(x, [x = save(x), kept = axes.kept](const Tensor& g, const Tensor& y) {
    const Tensor total = reshape(y, kept);
    return reshape(g, kept) * exp(x() - where(isinf(total), 0, total));
  }));
}

}  // namespace rill

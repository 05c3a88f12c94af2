// Variance and standard deviation in two passes.
#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "autograd/record.h"
#include "autograd/reduction.h"
#include "autograd/elementwise.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// The variance or its root, and what the gradient needs; not recorded.
struct Spread {
  AxisSet axes;
  double divisor;
  Tensor value;
  Spread(const char* op, Reduce what, const Tensor& x, const Dims& given, const VarOptions& o) : axes(op, x, given, o.keepdim) {
    check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
    divisor = std::max(0.0, static_cast<double>(axes.count) - o.correction);
    NoGrad off;
    const Tensor wide = x.detach().to(compute_dtype(x.dtype()));
    const AxisSet keep(op, x, given, true);
    const Tensor center = reduce(Reduce::sum, wide, keep, static_cast<double>(axes.count));
    value = reduce(what, wide - center, axes, divisor).to(x.dtype());
  }
};

Tensor centered(const Tensor& x, const AxisSet& axes) {
  Dims reduced;
  for (int a = 0; a < x.dim(); ++a)
    if (axes.mask >> a & 1) reduced.push_back(a);
  return x - mean(x, reduced, true);
}

auto var_gradient(const Tensor& x, const Spread& m) {
  return [x = save(x), axes = m.axes, divisor = m.divisor](const Tensor& g) {
    return spread(g * (2 / divisor), axes.kept, x().shape()) * centered(x(), axes);
  };
}
auto std_gradient(const Tensor& x, const Spread& m) {
  return [x = save(x), axes = m.axes, divisor = m.divisor](const Tensor& g, const Tensor& y) {
    const Tensor flat = eq(y, 0);  // a constant input: no direction is better than another
    const Tensor slope = where(flat, 0, g / (where(flat, 1, y) * divisor));
    return spread(slope, axes.kept, x().shape()) * centered(x(), axes);
  };
}

}  // namespace

namespace {
Tensor var_of(const char* op, const Tensor& x, const Dims& axes, const VarOptions& options) {
  const OpRange here(op, x);
  const Spread m(op, Reduce::sum_of_squares, x, axes, options);
  return record("var", m.value, grad(x, var_gradient(x, m)));
}
Tensor std_of(const char* op, const Tensor& x, const Dims& axes, const VarOptions& options) {
  const OpRange here(op, x);
  const Spread m(op, Reduce::root_of_squares, x, axes, options);
  return record("std", m.value, grad(x, std_gradient(x, m)));
}
}  // namespace

Tensor var(const Tensor& x, const Dims& axes, VarOptions options) { return var_of("var", x, axes, options); }
Tensor std(const Tensor& x, const Dims& axes, VarOptions options) { return std_of("std", x, axes, options); }
std::pair<Tensor, Tensor> var_mean(const Tensor& x, const Dims& axes, VarOptions options) { return {var_of("var_mean", x, axes, options), mean(x, axes, options.keepdim)}; }
std::pair<Tensor, Tensor> std_mean(const Tensor& x, const Dims& axes, VarOptions options) { return {std_of("std_mean", x, axes, options), mean(x, axes, options.keepdim)}; }

}  // namespace rill

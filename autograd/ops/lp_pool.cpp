// Power-average pools, by way of average pools.
#include <rill/ops/elementwise.h>
#include <rill/ops/pool.h>

#include <cmath>

#include "autograd/elementwise.h"
#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

Tensor lp_pool(const char* op, int axes, const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& o) {
  const OpRange here(op, x);
  check_defined(op, x);
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to()", x.dtype());
  check<ValueError>(p != 0 && std::isfinite(p), op, "p is {}; use a finite number other than 0", p);
  const WindowGeometry w = window(op, axes, kernel, o.stride.count() ? o.stride : kernel, 0, 1);
  check<ShapeError>(x.dim() == axes + 1 || x.dim() == axes + 2, op, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, x.shape());
  double elements = 1;
  for (int i = 0; i < axes; ++i) elements *= static_cast<double>(w.kernel[i]);
  const AvgPoolOptions average{.stride = o.stride, .ceil_mode = o.ceil_mode};
  const Tensor powers = pow(x.to(compute_dtype(x.dtype())), p);
  const Tensor sums = (axes == 1 ? avg_pool1d(powers, kernel, average) : axes == 2 ? avg_pool2d(powers, kernel, average) : avg_pool3d(powers, kernel, average)) * elements;
  const Tensor zero = eq(sums, 0), root = pow(abs(where(zero, 1, sums)), 1 / p);
  return where(zero, 0, sign(sums) * root).to(x.dtype());
}

}  // namespace

Tensor lp_pool1d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& o) { return lp_pool("lp_pool1d", 1, x, p, kernel, o); }
Tensor lp_pool2d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& o) { return lp_pool("lp_pool2d", 2, x, p, kernel, o); }
Tensor lp_pool3d(const Tensor& x, double p, const PerAxis& kernel, const LpPoolOptions& o) { return lp_pool("lp_pool3d", 3, x, p, kernel, o); }

}  // namespace rill

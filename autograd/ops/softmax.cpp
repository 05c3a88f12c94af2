#include <rill/ops/softmax.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "autograd/record.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

Tensor softmax_gradient(bool log, const Tensor& g, const Tensor& y, std::int64_t axis) {
  if (recording(g, y)) {
    if (log) return g - exp(y) * sum(g, {axis}, true);
    return y * (g - sum(g * y, {axis}, true));
  }
  const Dtype compute = compute_dtype(y.dtype());
  const Tensor a = g.to(compute).contiguous(), b = y.to(compute).contiguous();
  Tensor out = make_tensor(y.shape(), compute, y.device());
  kernels(y).softmax_gradient(view(a), view(b), static_cast<int>(axis), log, view(out));
  return out.to(y.dtype());
}

Tensor softmax_of(const char* op, bool log, const Tensor& x, std::int64_t axis) {
  if (amp::on()) [[unlikely]] return amp::in_float32([&](const Tensor& t) { return softmax_of(op, log, t, axis); }, x);
  const OpRange here(op, x);
  check_defined(op, x);
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  axis = wrap_axis(op, axis, x.dim());
  Tensor out;
  {
    NoGrad off;
    const Tensor in = x.detach().to(compute_dtype(x.dtype())).contiguous();
    out = make_tensor(x.shape(), in.dtype(), x.device());
    kernels(x).softmax(view(in), static_cast<int>(axis), log, view(out));
    out = out.to(x.dtype());
  }
  return record(op, out, grad(x, [log, axis](const Tensor& g, const Tensor& y) { return softmax_gradient(log, g, y, axis); }));
}

}  // namespace

Tensor softmax(const Tensor& x, std::int64_t axis) { return softmax_of("softmax", false, x, axis); }
Tensor log_softmax(const Tensor& x, std::int64_t axis) { return softmax_of("log_softmax", true, x, axis); }
Tensor softmin(const Tensor& x, std::int64_t axis) { return softmax_of("softmin", false, neg(x), axis); }

}  // namespace rill

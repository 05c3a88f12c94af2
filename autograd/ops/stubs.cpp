// TEMPORARY weak stand-ins so that the library links while op families are being written; deleted before landing.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/record.h"
#include "lib/core/check.h"

namespace rill {

[[gnu::weak]] Tensor sum(const Tensor& x, const Dims& given, bool keepdim) {
  Dims axes = given;
  if (axes.empty()) for (int i = 0; i < x.dim(); ++i) axes.push_back(i);
  Shape kept = x.shape(), dropped;
  for (auto a : axes) kept[wrap_axis("sum", a, x.dim())] = 1;
  for (int i = 0; i < x.dim(); ++i) { bool r = false; for (auto a : axes) r |= wrap_axis("sum", a, x.dim()) == i; if (!r) dropped.push_back(x.size(i)); }
  Tensor acc;
  {
    NoGrad off;
    acc = zeros(kept, {.dtype = float64});
    const Tensor flat = x.detach().to(float64);
    Tensor moved = flat;  // add every slice
    std::vector<Tensor> parts{moved};
    for (auto a : axes) { std::vector<Tensor> next; for (auto& p : parts) for (std::int64_t i = 0; i < p.size(a); ++i) next.push_back(p.narrow(a, i, 1)); parts = next; }
    for (auto& p : parts) acc.add_(p);
    acc = acc.to(is_floating(x.dtype()) ? x.dtype() : int64);
  }
  Tensor out = record("sum", acc, grad(x, [s = x.shape(), kept](const Tensor& g) { return g.reshape(kept).expand(s); }));
  return keepdim ? out : out.reshape(dropped);
}
[[gnu::weak]] Tensor sum(const Tensor& x) { return sum(x, {}, false); }
[[gnu::weak]] Tensor Tensor::sum() const { return rill::sum(*this); }
[[gnu::weak]] Tensor any(const Tensor& x) { bool r = false; for (double v : x.to_vector<double>()) r |= v != 0; return tensor(Scalar(r)); }


[[gnu::weak]] Tensor max(const Tensor& x) { double m = -1e300; for (double v : x.to_vector<double>()) m = v > m ? v : m; return tensor(Scalar(m)).to(x.dtype()); }

}  // namespace rill

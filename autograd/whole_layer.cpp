#include "autograd/whole_layer.h"

#include <algorithm>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/index.h>

namespace rill {
namespace {

void* data_of(const Tensor& t) { return t.defined() ? impl(t).data : nullptr; }
RnnInputs pointers(const RnnTensors& t) { return {data_of(t.x), data_of(t.h), data_of(t.c), data_of(t.ih), data_of(t.hh), data_of(t.bias_ih), data_of(t.bias_hh), data_of(t.hr)}; }
template <class F> RnnTensors each(const RnnTensors& t, const F& f) {
  const auto one = [&](const Tensor& x) { return x.defined() ? f(x) : Tensor(); };
  return {one(t.x), one(t.h), one(t.c), one(t.ih), one(t.hh), one(t.bias_ih), one(t.bias_hh), one(t.hr)};
}
RnnTensors dense(const RnnTensors& t) {
  return each(t, [](const Tensor& x) { return x.detach().contiguous(); });
}
Tensor dense_gradient(const Tensor& g, const Tensor& like) {
  if (g.defined()) return g.detach().contiguous();
  return zeros(like.shape(), {.dtype = like.dtype(), .device = like.device()});
}

}  // namespace

WholeLayer::WholeLayer(const Sequence& q, RnnCell cell, const Tensor& x, std::int64_t units, std::int64_t state, const std::array<std::int64_t, 4>& block)
    : layer_{cell, impl(x).dtype, q.total, x.size(-1), units, state, block, {}} {
  std::vector<Step> steps = q.steps;
  const bool reversed = !steps.empty() && steps.front().first > steps.back().first;
  if (reversed) std::reverse(steps.begin(), steps.end());
  complete_ = is_floating(layer_.dtype) && !steps.empty() && q.batch > 0 && steps[0].rows == q.batch && layer_.features > 0 && units > 0;
  if (!complete_) return;
  layer_.lengths.resize(static_cast<std::size_t>(q.batch));
  for (const Step& s : steps)
    for (std::int64_t b = 0; b < s.rows; ++b) ++layer_.lengths[static_cast<std::size_t>(b)];
  if (!reversed) return;
  order_.resize(static_cast<std::size_t>(q.total));
  for (std::size_t t = 0; t < steps.size(); ++t)
    for (std::int64_t b = 0; b < steps[t].rows; ++b) {
      const auto mirrored = static_cast<std::size_t>(layer_.lengths[static_cast<std::size_t>(b)]) - 1 - t;
      order_[static_cast<std::size_t>(steps[t].first + b)] = steps[mirrored].first + b;
    }
}

Tensor WholeLayer::reordered(const Tensor& rows) const { return order_.empty() ? rows : index_select(rows, 0, tensor(order_, {.device = rows.device()})); }

RnnResult WholeLayer::forward(const RnnTensors& given, Tensor* reserve) const {
  const NoGrad off;
  RnnTensors in = dense(given);
  in.x = reordered(in.x);
  const RnnResult out{matrix_like(in.x, layer_.total, layer_.state), make_like(in.h), layer_.cell == RnnCell::lstm ? make_like(in.c) : Tensor()};
  const WholeRnn& whole = kernels(in.x).whole_rnn;
  if (reserve) *reserve = make_tensor({whole.reserve(layer_)}, Dtype::uint8, impl(in.x).device);
  whole.forward(layer_, pointers(in), {data_of(out.y), data_of(out.h), data_of(out.c)}, reserve ? impl(*reserve).data : nullptr);
  return {reordered(out.y), out.h, out.c};
}

RnnTensors WholeLayer::gradient(const RnnTensors& given, const Tensor& y, const RnnResult& g, const Tensor& reserve) const {
  const NoGrad off;
  RnnTensors in = dense(given);
  in.x = reordered(in.x);
  RnnTensors gradients = each(in, [](const Tensor& t) { return make_like(t); });
  const Tensor output = reordered(y.detach().contiguous()), gy = reordered(dense_gradient(g.y, y)), gh = dense_gradient(g.h, in.h), gc = layer_.cell == RnnCell::lstm ? dense_gradient(g.c, in.c) : Tensor();
  kernels(in.x).whole_rnn.gradient(layer_, pointers(in), impl(output).data, {impl(gy).data, impl(gh).data, data_of(gc)}, impl(reserve).data, pointers(gradients));
  gradients.x = reordered(gradients.x);
  return gradients;
}

}  // namespace rill

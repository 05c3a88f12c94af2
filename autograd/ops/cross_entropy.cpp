// Cross entropy: one pass over the logits when the target is classes without weights, by log_softmax otherwise.
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>
#include <rill/ops/softmax.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "autograd/record.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// Logits as [N, C] and classes as int64 [N]; `shape` is the target's own shape.
struct Classes {
  Tensor logits, target;
  Shape shape;
};
Classes classes_of(const char* op, const Tensor& x, const Tensor& target) {
  const int rank = static_cast<int>(x.dim());
  check<DtypeError>(is_integral(target.dtype()) && target.dtype() != Dtype::boolean, op, "target has dtype {}; expected classes (int64) or, for cross_entropy, probabilities in the logits' shape {}", target.dtype(), x.shape());
  Shape wanted;
  for (int a = 0; a < rank; ++a)
    if (a != (rank == 1 ? 0 : 1)) wanted.push_back(x.size(a));
  check<ShapeError>(target.shape() == wanted, op, "target {} does not fit logits {}; expected classes of shape {}", target.shape(), x.shape(), wanted);
  Classes c{x, target.to(Dtype::int64).contiguous(), target.shape()};
  if (rank == 1) c.logits = unsqueeze(x, 0);
  else if (rank > 2) c.logits = reshape(movedim(x, {1}, {-1}), {-1, x.size(1)});
  c.target = reshape(c.target, {-1});
  return c;
}

[[noreturn]] void bad_class(const char* op, const Tensor& target, std::int64_t row, std::int64_t classes) {
  fail<IndexError>(op, "target {} at position {} is outside [0, {}); classes count from 0", target.to_vector<std::int64_t>()[static_cast<std::size_t>(row)], row, classes);
}

Tensor reduced(const Tensor& losses, const Tensor& weights, Reduction reduction) {
  if (reduction == Reduction::none) return losses;
  return reduction == Reduction::sum ? sum(losses) : sum(losses) / sum(weights).to(losses.dtype());
}

/// [N] losses in one pass.
Tensor fused_losses(const Tensor& logits, const Tensor& target, std::int64_t ignore) {
  Tensor in, losses, lse = make_tensor(target.shape(), Dtype::float64, logits.device());
  {
    NoGrad off;
    in = logits.detach().to(compute_dtype(logits.dtype())).contiguous();
    losses = make_tensor(target.shape(), in.dtype(), logits.device());
    const std::int64_t bad = kernels(logits).cross_entropy(view(in), view(target), ignore, view(losses), view(lse));
    if (bad >= 0) bad_class("cross_entropy", target, bad, logits.size(1));
    losses = losses.to(logits.dtype());
  }
  return record("cross_entropy", losses, grad(logits, [x = save(logits), classes = save(target), lse, ignore](const Tensor& g) {
    const Tensor& target = classes();
    const Dtype compute = compute_dtype(x().dtype());
    if (recording(g, x())) {
      const Tensor valid = ne(target, ignore), hot = one_hot(where(valid, target, 0), x().size(1)).to(x().dtype());
      return (softmax(x(), 1) - hot) * unsqueeze(where(valid, g, 0), 1);
    }
    const Tensor in = x().detach().to(compute).contiguous(), scale = g.to(compute);
    Tensor out = make_tensor(in.shape(), compute, in.device());
    kernels(in).cross_entropy_gradient(view(in), view(target), ignore, view(lse), view(scale), view(out));
    return out.to(x().dtype());
  }));
}

/// [N] picked values and [N] weights of log-probabilities [N, C].
std::pair<Tensor, Tensor> picked(const char* op, const Tensor& logp, const Tensor& target, const Tensor& weight, std::int64_t ignore) {
  const std::int64_t classes = logp.size(1);
  const Tensor valid = ne(target, ignore), safe = where(valid, target, 0);
  const Tensor outside = logical_or(lt(safe, 0), ge(safe, classes));
  if (safe.numel() && any(outside).item<bool>()) bad_class(op, target, argmax(outside).item<std::int64_t>(), classes);
  Tensor weights = valid.to(logp.dtype());
  if (weight.defined()) {
    check<ShapeError>(weight.dim() == 1 && weight.size(0) == classes, op, "weight {} must have one element per class, [{}]", weight.shape(), classes);
    weights = weights * index_select(weight, 0, safe).to(logp.dtype());
  }
  const Tensor own = squeeze(gather(logp, 1, unsqueeze(safe, 1)), Dims{1});
  return {where(valid, own, 0), weights};
}

Tensor soft_cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  check<ShapeError>(target.shape() == x.shape(), "cross_entropy", "probabilities {} must have the shape of the logits {}", target.shape(), x.shape());
  const std::int64_t axis = x.dim() == 1 ? 0 : 1, classes = x.size(axis);
  Tensor p = target;
  if (o.label_smoothing > 0) p = p * (1 - o.label_smoothing) + o.label_smoothing / static_cast<double>(classes);
  if (o.weight.defined()) {
    check<ShapeError>(o.weight.dim() == 1 && o.weight.size(0) == classes, "cross_entropy", "weight {} must have one element per class, [{}]", o.weight.shape(), classes);
    Shape along(static_cast<std::int64_t>(x.dim()), 1);
    along[axis] = classes;
    p = p * reshape(o.weight, along);
  }
  const Tensor losses = neg(sum(p * log_softmax(x, axis), {axis}));
  if (o.reduction == Reduction::none) return losses;
  return o.reduction == Reduction::sum ? sum(losses) : mean(losses);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cross_entropy, logits, target, o);
  const OpRange here("cross_entropy", logits, target);
  check_defined("cross_entropy", logits, "logits");
  check_defined("cross_entropy", target, "target");
  check_same_device("cross_entropy", logits, target);
  check<DtypeError>(is_floating(logits.dtype()), "cross_entropy", "logits have dtype {}; expected a floating dtype", logits.dtype());
  check<ShapeError>(logits.dim() >= 1, "cross_entropy", "logits are a single number; expected [C], [N, C] or [N, C, d...]");
  check<ValueError>(o.label_smoothing >= 0 && o.label_smoothing <= 1, "cross_entropy", "label_smoothing is {}; expected a value in [0, 1]", o.label_smoothing);
  if (is_floating(target.dtype())) return soft_cross_entropy(logits, target, o);

  const Classes c = classes_of("cross_entropy", logits, target);
  Tensor losses, weights;
  if (!o.weight.defined() && o.label_smoothing == 0) {
    losses = fused_losses(c.logits, c.target, o.ignore_index);
    if (o.reduction == Reduction::mean) weights = ne(c.target, o.ignore_index);
  } else {
    const Tensor logp = log_softmax(c.logits, 1);
    const auto [own, w] = picked("cross_entropy", logp, c.target, o.weight, o.ignore_index);
    losses = neg(own * w), weights = w;
    if (o.label_smoothing > 0) {
      Tensor all = neg(sum(o.weight.defined() ? logp * o.weight.to(logp.dtype()) : logp, {1}));
      all = where(ne(c.target, o.ignore_index), all, 0);
      losses = losses * (1 - o.label_smoothing) + all * (o.label_smoothing / static_cast<double>(c.logits.size(1)));
    }
  }
  return reduced(o.reduction == Reduction::none ? reshape(losses, c.shape) : losses, weights, o.reduction);
}

Tensor nll_loss(const Tensor& logp, const Tensor& target, const NllOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&nll_loss, logp, target, o);
  const OpRange here("nll_loss", logp, target);
  check_defined("nll_loss", logp, "log_probabilities");
  check_defined("nll_loss", target, "target");
  check_same_device("nll_loss", logp, target);
  check<DtypeError>(is_floating(logp.dtype()), "nll_loss", "log-probabilities have dtype {}; expected a floating dtype", logp.dtype());
  check<ShapeError>(logp.dim() >= 1, "nll_loss", "log-probabilities are a single number; expected [C], [N, C] or [N, C, d...]");
  const Classes c = classes_of("nll_loss", logp, target);
  const auto [own, weights] = picked("nll_loss", c.logits, c.target, o.weight, o.ignore_index);
  const Tensor losses = neg(own * weights);
  return reduced(o.reduction == Reduction::none ? reshape(losses, c.shape) : losses, weights, o.reduction);
}

}  // namespace rill

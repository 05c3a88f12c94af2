// Losses made of public ops: their gradients, also second ones, come from the tape.
#include <rill/ops/loss.h>

#include <cmath>
#include <numbers>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/loss.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

/// max(t, low), with the gradient of t everywhere.
Tensor raised(const Tensor& t, double low) { return t + (clamp(t.detach(), low) - t.detach()); }
Tensor positive_part(const Tensor& t) { return clamp(t, 0); }

}  // namespace

// ---- distances ------------------------------------------------------------------------------------------------------------------

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&mse_loss, input, target, reduction);
  const OpRange here("mse_loss", input, target);
  const Tensor x = input_of("mse_loss", input);
  return finish(square(x - target_of("mse_loss", target, input)), reduction, input);
}
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&l1_loss, input, target, reduction);
  const OpRange here("l1_loss", input, target);
  const Tensor x = input_of("l1_loss", input);
  return finish(abs(x - target_of("l1_loss", target, input)), reduction, input);
}
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&smooth_l1_loss, input, target, beta, reduction);
  const OpRange here("smooth_l1_loss", input, target);
  constexpr const char* op = "smooth_l1_loss";
  check<ValueError>(beta >= 0, op, "beta is {}; use 0 or more", beta);
  if (beta == 0) return l1_loss(input, target, reduction);
  const Tensor x = input_of(op, input), e = x - target_of(op, target, input), d = abs(e);
  return finish(where(lt(d.detach(), beta), square(e) * (0.5 / beta), d - 0.5 * beta), reduction, input);
}
Tensor huber_loss(const Tensor& input, const Tensor& target, double delta, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&huber_loss, input, target, delta, reduction);
  const OpRange here("huber_loss", input, target);
  constexpr const char* op = "huber_loss";
  check<ValueError>(delta > 0, op, "delta is {}; use a number above 0", delta);
  const Tensor x = input_of(op, input), e = x - target_of(op, target, input), d = abs(e);
  return finish(where(lt(d.detach(), delta), square(e) * 0.5, (d - 0.5 * delta) * delta), reduction, input);
}

// ---- probabilities --------------------------------------------------------------------------------------------------------------

Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight, Reduction reduction) {
  const OpRange here("binary_cross_entropy", input, target, weight);
  constexpr const char* op = "binary_cross_entropy";
  check<ValueError>(!amp::on(), op, "logarithms of 16-bit probabilities are not accurate, so autocast refuses it; use binary_cross_entropy_with_logits, or open a scope with enabled = false");
  const Tensor x = input_of(op, input), y = target_of(op, target, input), w = weight_of(op, "the weight", weight, input);
  if (x.numel()) {
    const double low = amin(x.detach()).item<double>(), high = amax(x.detach()).item<double>();
    check<ValueError>(low >= 0 && high <= 1, op, "the input has values from {} to {}, expected probabilities in [0, 1]; use binary_cross_entropy_with_logits for logits", low, high);
  }
  Tensor loss;
  {
    NoGrad off;
    loss = -(y * clamp(log(x), -100) + (1 - y) * clamp(log1p(-x), -100));
  }
  // the limits on the logarithms are not differentiated: the slope of x stays finite at 0 and 1
  loss = record(op, std::move(loss), grad(x, [x = save(x), y = save(y)](const Tensor& g) { return g * (x() - y()) / clamp(x() * (1 - x()), 1e-12); }),
                grad(y, [x = save(x)](const Tensor& g) { return g * (clamp(log1p(-x()), -100) - clamp(log(x()), -100)); }));
  return finish(w.defined() ? loss * w : loss, reduction, input);
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, const LogitsOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&binary_cross_entropy_with_logits, logits, target, o);
  const OpRange here("binary_cross_entropy_with_logits", logits, target);
  constexpr const char* op = "binary_cross_entropy_with_logits";
  const Tensor x = input_of(op, logits), y = target_of(op, target, logits);
  const Tensor w = weight_of(op, "the weight", o.weight, logits), positive = weight_of(op, "pos_weight", o.pos_weight, logits);
  const Tensor log_p = logsigmoid(x);
  const Tensor loss = (1 - y) * x - (positive.defined() ? log_p * ((positive - 1) * y + 1) : log_p);
  return finish(w.defined() ? loss * w : loss, o.reduction, logits);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&kl_div, input, target, o);
  const OpRange here("kl_div", input, target);
  const Tensor x = input_of("kl_div", input), y = target_of("kl_div", target, input);
  const Tensor loss = o.log_target ? exp(y) * (y - x) : xlogy(y, y) - y * x;
  if (!o.batch_mean || o.reduction != Reduction::mean) return finish(loss, o.reduction, input);
  const double samples = static_cast<double>(input.dim() ? input.size(0) : 1);
  return finish(sum(loss) / samples, Reduction::none, input);
}

Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&soft_margin_loss, input, target, reduction);
  const OpRange here("soft_margin_loss", input, target);
  const Tensor x = input_of("soft_margin_loss", input);
  return finish(-logsigmoid(x * target_of("soft_margin_loss", target, input)), reduction, input);
}

Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target, const Tensor& weight, Reduction reduction) {
  const OpRange here("multilabel_soft_margin_loss", input, target, weight);
  constexpr const char* op = "multilabel_soft_margin_loss";
  const Tensor x = input_of(op, input), y = target_of(op, target, input), w = weight_of(op, "the weight", weight, input);
  check<ShapeError>(x.dim() >= 1, op, "the input is one number; expected [..., classes]");
  const Tensor loss = (1 - y) * x - logsigmoid(x);
  return finish(mean(w.defined() ? loss * w : loss, {-1}), reduction, input);
}

Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&poisson_nll_loss, input, target, o);
  const OpRange here("poisson_nll_loss", input, target);
  constexpr const char* op = "poisson_nll_loss";
  const Tensor x = input_of(op, input), y = target_of(op, target, input);
  Tensor loss = o.log_input ? exp(x) - y * x : x - y * log(x + o.eps);
  if (o.full) loss = loss + where(le(y.detach(), 1), 0, y * log(y) - y + log(y * (2 * std::numbers::pi)) * 0.5);
  return finish(loss, o.reduction, input);
}

Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var, const GaussianNllOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&gaussian_nll_loss, input, target, var, o);
  const OpRange here("gaussian_nll_loss", input, target, var);
  constexpr const char* op = "gaussian_nll_loss";
  const Tensor x = input_of(op, input), y = target_of(op, target, input);
  check<ValueError>(o.eps > 0, op, "eps is {}; use a number above 0", o.eps);
  Tensor v = other_of(op, "the variance", var, input);
  Shape without = x.shape(), one = x.shape();
  if (x.dim()) without.erase(x.dim() - 1), one[x.dim() - 1] = 1;
  if (v.shape() == without && x.dim()) v = unsqueeze(v, -1);
  check<ShapeError>(v.shape() == x.shape() || v.shape() == one, op, "the variance has shape {}, the input {}; expected the same, or {} or {}", var.shape(), x.shape(), one, without);
  check<ValueError>(v.numel() == 0 || amin(v.detach()).item<double>() >= 0, op, "the variance has a value that is not 0 or more");
  v = raised(v, o.eps);
  const Tensor loss = (log(v) + square(x - y) / v) * 0.5;
  return finish(o.full ? loss + 0.5 * std::log(2 * std::numbers::pi) : loss, o.reduction, input);
}

// ---- margins --------------------------------------------------------------------------------------------------------------------

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cosine_embedding_loss, a, b, target, margin, reduction);
  const OpRange here("cosine_embedding_loss", a, b, target);
  constexpr const char* op = "cosine_embedding_loss";
  const Tensor x = input_of(op, a), z = other_of(op, "the second input", b, a);
  check<ShapeError>(x.shape() == z.shape() && (x.dim() == 1 || x.dim() == 2), op, "the inputs have shapes {} and {}; expected twice [N, D] or [D]", x.shape(), z.shape());
  check_defined(op, target, "the target");
  Shape samples = x.shape();
  samples.erase(x.dim() - 1);
  check<ShapeError>(target.shape() == samples, op, "the target has shape {}, the inputs {}; expected {}", target.shape(), x.shape(), samples);
  auto length = [](const Tensor& t) { return sum(square(t), {-1}) + 1e-12; };
  const Tensor cosine = sum(x * z, {-1}) / sqrt(length(x) * length(z));
  return finish(where(eq(target, 1), 1 - cosine, where(eq(target, -1), positive_part(cosine - margin), 0)), reduction, a);
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&margin_ranking_loss, a, b, target, margin, reduction);
  const OpRange here("margin_ranking_loss", a, b, target);
  constexpr const char* op = "margin_ranking_loss";
  const Tensor x = input_of(op, a), z = other_of(op, "the second input", b, a);
  check<ShapeError>(x.shape() == z.shape(), op, "the inputs have shapes {} and {}; they must be equal", x.shape(), z.shape());
  return finish(positive_part((z - x) * target_of(op, target, a) + margin), reduction, a);
}

Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&hinge_embedding_loss, input, target, margin, reduction);
  const OpRange here("hinge_embedding_loss", input, target);
  constexpr const char* op = "hinge_embedding_loss";
  const Tensor x = input_of(op, input), y = target_of(op, target, input).detach();
  return finish(where(ne(y, -1), x, 0) + where(ne(y, 1), positive_part(margin - x), 0), reduction, input);
}

namespace {
Tensor triplet(const char* op, const Tensor& anchor, const Tensor& positive, const Tensor& negative, const DistanceFunction& distance, const TripletDistanceOptions& o) {
  const Tensor a = input_of(op, anchor), p = other_of(op, "the positive", positive, anchor), n = other_of(op, "the negative", negative, anchor);
  check<ShapeError>(a.shape() == p.shape() && a.shape() == n.shape(), op, "anchor, positive and negative have shapes {}, {} and {}; they must be equal", a.shape(), p.shape(), n.shape());
  const Tensor near = distance(a, p), far = distance(a, n);
  return finish(positive_part(near - (o.swap ? minimum(far, distance(p, n)) : far) + o.margin), o.reduction, anchor);
}
}  // namespace

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const TripletOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&triplet_margin_loss, anchor, positive, negative, o);
  const OpRange here("triplet_margin_loss", anchor, positive, negative);
  return triplet("triplet_margin_loss", anchor, positive, negative, [&](const Tensor& x, const Tensor& y) { return pairwise_distance(x, y, o.p, o.eps); },
                 {.margin = o.margin, .swap = o.swap, .reduction = o.reduction});
}
Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const DistanceFunction& distance, const TripletDistanceOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&triplet_margin_with_distance_loss, anchor, positive, negative, distance, o);
  const OpRange here("triplet_margin_with_distance_loss", anchor, positive, negative);
  check<ValueError>(distance != nullptr, "triplet_margin_with_distance_loss", "the distance is empty; pass a function of two tensors");
  return triplet("triplet_margin_with_distance_loss", anchor, positive, negative, distance, o);
}

namespace {
/// [N, C] from [N, C] or [C].
Tensor samples_of(const char* op, const Tensor& x) {
  check<ShapeError>(x.dim() == 1 || x.dim() == 2, op, "the input has shape {}; expected [N, C] or [C]", x.shape());
  return x.dim() == 1 ? unsqueeze(x, 0) : x;
}
Tensor classes_of(const char* op, const Tensor& target, const Shape& expected) {
  check_defined(op, target, "the target");
  check<DtypeError>(target.dtype() == Dtype::int64 || target.dtype() == Dtype::int32, op, "the target is {}, expected int64 or int32 classes; convert with .to(int64)", target.dtype());
  check<ShapeError>(target.shape() == expected, op, "the target has shape {}, expected {}", target.shape(), expected);
  return target.to(Dtype::int64);
}
}  // namespace

Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginOptions& o) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&multi_margin_loss, input, target, o);
  const OpRange here("multi_margin_loss", input, target);
  constexpr const char* op = "multi_margin_loss";
  check<ValueError>(o.p == 1 || o.p == 2, op, "p is {}; use 1 or 2", o.p);
  const Tensor wide_input = input_of(op, input), x = samples_of(op, wide_input);
  const std::int64_t classes = x.size(1);
  Shape expected = input.shape();
  expected.erase(input.dim() - 1);
  const Tensor y = unsqueeze(reshape(classes_of(op, target, expected), {x.size(0)}), 1);
  check<ShapeError>(!o.weight.defined() || o.weight.shape() == Shape{classes}, op, "the weight has shape {}, expected [{}]", o.weight.defined() ? o.weight.shape() : Shape{}, classes);
  const Tensor own = gather(x, 1, y);  // IndexError for a class outside
  Tensor h = relu(x - own + o.margin);
  if (o.p == 2) h = square(h);
  h = scatter(h, 1, y, 0.0);
  if (o.weight.defined()) h = h * unsqueeze(index_select(other_of(op, "the weight", o.weight, input), 0, squeeze(y, {1})), 1);
  const Tensor loss = mean(h, {1});
  return finish(input.dim() == 1 ? squeeze(loss, {0}) : loss, o.reduction, input);
}

Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&multilabel_margin_loss, input, target, reduction);
  const OpRange here("multilabel_margin_loss", input, target);
  constexpr const char* op = "multilabel_margin_loss";
  const Tensor wide_input = input_of(op, input), x = samples_of(op, wide_input);
  const Tensor y = reshape(classes_of(op, target, input.shape()), x.shape());
  check<IndexError>(y.numel() == 0 || amin(y).item<std::int64_t>() >= -1, op, "the target holds {}; expected classes, or -1 after the last one", y.numel() ? amin(y).item<std::int64_t>() : 0);
  const Tensor listed = cumprod(ge(y, 0).to(Dtype::int64), 1), at = y * listed;  // up to the first -1
  const Tensor member = scatter_add(zeros(x.shape(), {.dtype = Dtype::int64, .device = x.device()}), 1, at, listed);
  const Tensor pair = logical_and(unsqueeze(ne(listed, 0), 2), unsqueeze(eq(member, 0), 1));
  const Tensor h = relu(1 - unsqueeze(gather(x, 1, at), 2) + unsqueeze(x, 1));
  const Tensor loss = sum(where(pair, h, 0), {1, 2}) / static_cast<double>(x.size(1));
  return finish(input.dim() == 1 ? squeeze(loss, {0}) : loss, reduction, input);
}

// ---- similarity -----------------------------------------------------------------------------------------------------------------

Tensor cosine_similarity(const Tensor& a, const Tensor& b, std::int64_t axis, double eps) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cosine_similarity, a, b, axis, eps);
  const OpRange here("cosine_similarity", a, b);
  constexpr const char* op = "cosine_similarity";
  const Tensor x = input_of(op, a), z = other_of(op, "the second input", b, a);
  const Shape shape = broadcast_shapes(x.shape(), z.shape(), op);
  const std::int64_t along = wrap_axis(op, axis, shape.rank());
  auto unit = [&](const Tensor& t) {
    const Tensor full = expand(t, shape);
    return full / raised(norm(full, 2, {along}, true), eps);
  };
  return finish(sum(unit(x) * unit(z), {along}), Reduction::none, a);
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, double p, double eps, bool keepdim) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&pairwise_distance, a, b, p, eps, keepdim);
  const OpRange here("pairwise_distance", a, b);
  constexpr const char* op = "pairwise_distance";
  const Tensor x = input_of(op, a), z = other_of(op, "the second input", b, a);
  broadcast_shapes(x.shape(), z.shape(), op);
  return finish(norm(x - z + eps, p, {-1}, keepdim), Reduction::none, a);
}

Tensor normalize(const Tensor& x, double p, std::int64_t axis, double eps) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&normalize, x, p, axis, eps);
  const OpRange here("normalize", x);
  const Tensor in = input_of("normalize", x);
  return finish(in / clamp(norm(in, p, {wrap_axis("normalize", axis, in.dim())}, true), eps), Reduction::none, x);
}

}  // namespace rill

// Dropout.
#include <rill/ops/dropout.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/elementwise.h>

#include "autograd/random.h"
#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/op_range.h"
#include "lib/core/random.h"

namespace rill {
namespace {

void check_dropout(const char* op, const Tensor& x, double p) {
  check_defined(op, x);
  check<DtypeError>(is_floating(impl(x).dtype), op, "{} is not supported (expected a floating dtype)", impl(x).dtype);
  check<ValueError>(p >= 0 && p <= 1, op, "the probability {} is outside [0, 1]", p);
}

/// x * mask / keep with the mask drawn from `draw`: linear in x, so it is its own gradient.
Tensor masked(const Tensor& x, const Draw& draw, double keep) {
  const Tensor dense = x.contiguous();
  Tensor out = make_tensor(impl(x).shape, impl(x).dtype, impl(x).device);
  const View in = view(dense);
  if (impl(out).numel) kernels(out).random(RandomKind::dropout, draw, keep, keep > 0 ? 1 / keep : 0, 0, &in, view(out));
  return record("dropout", std::move(out), grad(x, [draw, keep](const Tensor& g) { return masked(g, draw, keep); }));
}

/// 1 with probability keep, else 0.
Tensor noise(const Tensor& x, const Shape& shape, double keep, const Generator& g) {
  Tensor t = make_tensor(shape, impl(x).dtype, impl(x).device);
  if (impl(t).numel) fill_bernoulli(t, keep, g);
  return t;
}
Tensor scaled_noise(const Tensor& x, const Shape& shape, double keep, const Generator& g) {
  NoGrad off;
  const Tensor t = noise(x, shape, keep, g);
  return keep > 0 ? t / keep : t;
}

Shape per_channel(const char* op, const Tensor& x) {
  check<ShapeError>(impl(x).shape.rank() >= 2, op, "{} has rank {}; expected at least [N, C]", describe(x), impl(x).shape.rank());
  Shape s = impl(x).shape;
  for (int a = 2; a < s.rank(); ++a) s[a] = 1;
  return s;
}

Tensor drop_features(const char* op, const Tensor& x, double p, bool training, const Generator& g) {
  const OpRange here(op, x);
  check_dropout(op, x, p);
  const Shape shape = per_channel(op, x);
  return training && p > 0 && impl(x).numel ? x * scaled_noise(x, shape, 1 - p, g) : x;
}

/// Ranks a (without batch) or b; `batched` is the smallest rank whose first axis is a batch.
Tensor drop_checked(const char* op, const Tensor& x, double p, bool training, const Generator& g, int a, int b, int batched) {
  const OpRange here(op, x);
  check_defined(op, x);
  const int rank = impl(x).shape.rank();
  check<ShapeError>(rank == a || rank == b, op, "{} has rank {}; expected {} or {}", describe(x), rank, a, b);
  if (rank >= batched) return drop_features(op, x, p, training, g);
  return drop_features(op, x.unsqueeze(0), p, training, g).squeeze(0);
}

Tensor alpha(const Tensor& x, const Shape& shape, double p, bool training, const Generator& g) {
  if (!training || p == 0 || impl(x).numel == 0) return x;
  if (p == 1) return x * 0;
  constexpr double kAlpha = 1.7580993408473766;  // scale * alpha of selu
  const double a = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
  Tensor scale, shift;
  {
    NoGrad off;
    const Tensor kept = noise(x, shape, 1 - p, g);
    scale = kept * a;
    shift = (kept - 1) * (kAlpha * a) + kAlpha * a * p;
  }
  return x * scale + shift;
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training, const Generator& g) {
  const OpRange here("dropout", x);
  check_dropout("dropout", x, p);
  if (!training || p == 0 || impl(x).numel == 0) return x;
  if (g.is_torch_compatible()) return x * scaled_noise(x, impl(x).shape, 1 - p, g);
  return masked(x, next_draw(g), 1 - p);
}

Tensor feature_dropout(const Tensor& x, double p, bool training, const Generator& g) { return drop_features("feature_dropout", x, p, training, g); }
Tensor dropout1d(const Tensor& x, double p, bool training, const Generator& g) { return drop_checked("dropout1d", x, p, training, g, 2, 3, 3); }
Tensor dropout2d(const Tensor& x, double p, bool training, const Generator& g) { return drop_checked("dropout2d", x, p, training, g, 3, 4, 3); }
Tensor dropout3d(const Tensor& x, double p, bool training, const Generator& g) { return drop_checked("dropout3d", x, p, training, g, 4, 5, 5); }

Tensor alpha_dropout(const Tensor& x, double p, bool training, const Generator& g) {
  const OpRange here("alpha_dropout", x);
  check_dropout("alpha_dropout", x, p);
  return alpha(x, impl(x).shape, p, training, g);
}
Tensor feature_alpha_dropout(const Tensor& x, double p, bool training, const Generator& g) {
  const OpRange here("feature_alpha_dropout", x);
  check_dropout("feature_alpha_dropout", x, p);
  return alpha(x, per_channel("feature_alpha_dropout", x), p, training, g);
}

}  // namespace rill

// Weight and spectral normalisation as parametrizations.
#include <rill/autograd/grad_mode.h>
#include <rill/nn/conv.h>
#include <rill/nn/parametrize.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/loss.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/arguments.h"
#include "nn/parametrization_list.h"

namespace rill::nn {
namespace {

class WeightNorm : public Module {
 public:
  explicit WeightNorm(std::optional<std::int64_t> axis) : axis_(axis) {}
  Tensor operator()(const Tensor& length, const Tensor& direction) const { return direction * (length / lengths(direction)); }
  std::pair<Tensor, Tensor> right_inverse(const Tensor& weight) const { return {lengths(weight), weight}; }
  void parts(Parts&) override {}

 private:
  Tensor lengths(const Tensor& v) const {
    if (!axis_) return norm(v);
    Dims others;
    for (int i = 0; i < v.dim(); ++i)
      if (i != *axis_) others.push_back(i);
    return others.empty() ? abs(v) : norm(v, 2, others, true);
  }
  std::optional<std::int64_t> axis_;  // not negative
};

class SpectralNorm : public Module {
 public:
  SpectralNorm(const Tensor& weight, int iterations, double eps, std::int64_t axis) : iterations_(iterations), eps_(eps), axis_(axis) {
    if (weight.dim() < 2) return;
    const NoGrad off;
    const Tensor m = matrix(weight.detach()), u = randn({m.size(0)}, like(m)), v = randn({m.size(1)}, like(m));
    u_ = Buffer(normalize(u, 2, 0, eps_));
    v_ = Buffer(normalize(v, 2, 0, eps_));
    iterate(m, 15);  // a start that is near the singular vectors
  }
  Tensor operator()(const Tensor& weight) const {
    if (weight.dim() < 2) return normalize(weight, 2, 0, eps_);
    const Tensor m = matrix(weight);
    if (training_) {
      const NoGrad off;
      iterate(m.detach(), iterations_);
    }
    return weight / dot(u_.clone(), mv(m, v_.clone()));  // copies: the next step writes into the vectors
  }
  Tensor right_inverse(const Tensor& weight) const { return weight; }
  void parts(Parts& p) override { p("_u", u_)("_v", v_).mode(training_); }

 private:
  static Options like(const Tensor& t) { return {.dtype = t.dtype(), .device = t.device()}; }
  Tensor matrix(const Tensor& weight) const { return flatten(movedim(weight, {axis_}, {0}), 1); }
  void iterate(const Tensor& m, int times) const {
    for (int i = 0; i < times; ++i) {
      u_.copy_(normalize(mv(m, v_), 2, 0, eps_));
      v_.copy_(normalize(mv(m.t(), u_), 2, 0, eps_));
    }
  }

  Buffer u_, v_;
  int iterations_;
  double eps_;
  std::int64_t axis_;
  bool training_ = true;
};

}  // namespace

void weight_norm(Module& module, const WeightNormOptions& o) {
  const Tensor weight = detail::own_parameter("weight_norm", module, o.name);
  std::optional<std::int64_t> axis = o.axis;
  if (axis) axis = wrap_axis("weight_norm", *axis, weight.dim());
  register_parametrization(module, o.name, WeightNorm(axis));
}

void spectral_norm(Module& module, const SpectralNormOptions& o) {
  check_size("spectral_norm", "the number of iterations", o.iterations);
  check_positive("spectral_norm", "eps", o.eps);
  const Tensor weight = detail::own_parameter("spectral_norm", module, o.name);
  const std::int64_t axis = wrap_axis("spectral_norm", o.axis.value_or(dynamic_cast<const ConvTranspose*>(&module) ? 1 : 0), weight.dim());
  register_parametrization(module, o.name, SpectralNorm(weight, o.iterations, o.eps, axis));
}

}  // namespace rill::nn

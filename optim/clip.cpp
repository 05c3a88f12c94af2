#include <rill/optim/clip.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "optim/hyper.h"
#include "optim/update_list.h"

namespace rill::optim {
namespace {

std::vector<Tensor> gradients(const char* op, const std::vector<Tensor>& parameters) {
  std::vector<Tensor> list;
  for (const Tensor& p : parameters) {
    check_defined(op, p, "a parameter");
    if (const Tensor g = p.grad(); g.defined()) list.push_back(g);
  }
  return list;
}

double total_norm(const std::vector<Tensor>& tensors, double p) {
  double total = 0;
  for (const Tensor& t : tensors) {
    const double n = norm(widened(t), p).item<double>();
    if (std::isnan(n)) return n;
    total = std::isinf(p) ? std::max(total, n) : total + std::pow(n, p);
  }
  return std::isinf(p) ? total : std::pow(total, 1 / p);
}

/// min(1, c / n), in a form that is smooth at n = 0.
Tensor limited(const Tensor& n, double c) { return c / clamp(n, c); }

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, ClipNormOptions options) {
  const char* op = "clip_grad_norm_";
  check_at_least(op, "max_norm", max_norm, 0);
  check<ValueError>(options.norm_type > 0, op, "norm_type is {}; expected a number > 0 or infinity", options.norm_type);
  check_at_least(op, "eps", options.eps, 0);
  const auto list = gradients(op, parameters);
  const NoGrad off;
  const double total = total_norm(list, options.norm_type);
  check<ValueError>(!options.error_if_nonfinite || std::isfinite(total), op, "the norm of the gradients is {}; nothing was changed", total);
  const double factor = max_norm / (total + options.eps);
  UpdateList updates;
  for (const Tensor& g : list) updates.add(fn::ScaleUpdate{factor > 1 ? 1 : factor}, g, g);
  updates.run();
  return total;
}
void clip_grad_value_(const std::vector<Tensor>& parameters, double value) {
  check_at_least("clip_grad_value_", "value", value, 0);
  const auto list = gradients("clip_grad_value_", parameters);
  const NoGrad off;
  for (const Tensor& g : list) clamp_(g, -value, value);
}

Tensor clip_by_value(const Tensor& x, double low, double high) { return clamp(x, low, high); }
Tensor clip_by_value(const Tensor& x, const Tensor& low, const Tensor& high) { return clamp(x, low, high); }
Tensor clip_by_norm(const Tensor& x, double c, const Dims& axes) {
  check_defined("clip_by_norm", x);
  check_above("clip_by_norm", "c", c, 0);
  return x * limited(norm(x, 2, axes, true), c);
}
Tensor global_norm(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> norms;
  for (const Tensor& t : tensors)
    if (t.defined()) norms.push_back(norm(t));
  check<ValueError>(!norms.empty(), "global_norm", "there are no tensors");
  return norm(stack(norms));
}
ClippedByGlobalNorm clip_by_global_norm(const std::vector<Tensor>& tensors, double c, const Tensor& use_norm) {
  check_above("clip_by_global_norm", "c", c, 0);
  const Tensor n = use_norm.defined() ? use_norm : global_norm(tensors);
  const Tensor factor = where(isfinite(n), limited(n, c), std::numeric_limits<double>::quiet_NaN());
  ClippedByGlobalNorm result{{}, n};
  for (const Tensor& t : tensors) result.tensors.push_back(t.defined() ? t * factor : t);
  return result;
}
Tensor clip_by_average_norm(const Tensor& x, double c) {
  check_defined("clip_by_average_norm", x);
  check_above("clip_by_average_norm", "c", c, 0);
  return x * limited(norm(x) / static_cast<double>(x.numel()), c);
}

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  check<ValueError>(!parameters.empty(), "parameters_to_vector", "there are no parameters");
  std::vector<Tensor> parts;
  for (const Tensor& p : parameters) {
    check_defined("parameters_to_vector", p, "a parameter");
    const Dtype first = parameters[0].dtype();
    check<DtypeError>(p.dtype() == first, "parameters_to_vector", "parameters are {} and {}; expected one dtype", first, p.dtype());
    parts.push_back(p.reshape({-1}));
  }
  return cat(parts, 0);
}
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  const char* op = "vector_to_parameters";
  check_defined(op, vector, "the vector");
  std::int64_t total = 0;
  for (const Tensor& p : parameters) {
    check_defined(op, p, "a parameter");
    total += p.numel();
  }
  check<ShapeError>(vector.dim() == 1 && vector.numel() == total, op, "the vector has shape {}, the parameters have {} elements", vector.shape(), total);
  const NoGrad off;
  std::int64_t at = 0;
  for (const Tensor& p : parameters) {
    p.copy_(narrow(vector, 0, at, p.numel()).reshape(p.shape()));
    at += p.numel();
  }
}

}  // namespace rill::optim

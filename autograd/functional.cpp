#include <rill/autograd/functional.h>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"

namespace rill {
namespace {

/// The tensor f is called with: x itself when the result shall be differentiable in x, else a leaf of its own.
Tensor entry(const char* op, const Tensor& x, bool create_graph) {
  check_defined(op, x, "an input");
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype)", x.dtype());
  if (create_graph && x.requires_grad()) return x.view(x.shape());
  Tensor leaf = x.detach();
  leaf.requires_grad_();
  return leaf;
}

std::vector<Tensor> entries(const char* op, const std::vector<Tensor>& inputs, bool create_graph) {
  std::vector<Tensor> all;
  for (const Tensor& x : inputs) all.push_back(entry(op, x, create_graph));
  return all;
}

/// Gradients of y, zero where there is no dependence.
std::vector<Tensor> gradients(const Tensor& y, const std::vector<Tensor>& inputs, const Tensor& v, bool retain, bool create_graph) {
  std::vector<Tensor> g;
  if (y.requires_grad()) g = grad({y}, inputs, {v}, {.retain_graph = retain || create_graph, .create_graph = create_graph, .allow_unused = true});
  else g.resize(inputs.size());
  for (std::size_t i = 0; i < g.size(); ++i)
    if (!g[i].defined()) g[i] = zeros_like(inputs[i]);
  return g;
}

void check_direction(const char* op, const Tensor& v, const Tensor& like, const char* what) {
  check_defined(op, v, "the vector v");
  check<ShapeError>(v.shape() == like.shape(), op, "v has shape {}, {} has {}", v.shape(), what, like.shape());
}
void check_single(const char* op, const Tensor& y) { check<ShapeError>(y.numel() == 1, op, "the function returned {}; a function with one element is needed", describe(y)); }

Tensor one_hot_like(const Tensor& y, std::int64_t i) {
  NoGrad off;
  Tensor v = zeros(y.shape(), {.dtype = y.dtype(), .device = y.device()});
  v.view({-1}).select(0, i).fill_(1);
  return v;
}

Shape joined(const Shape& a, const Shape& b) {
  Shape s = a;
  for (const auto n : b) s.push_back(n);
  return s;
}

/// dy / d inputs, row by row.
std::vector<Tensor> rows(const Tensor& y, const std::vector<Tensor>& inputs, bool create_graph) {
  std::vector<std::vector<Tensor>> parts(inputs.size());
  const std::int64_t n = y.numel();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto g = gradients(y, inputs, one_hot_like(y, i), true, create_graph);
    for (std::size_t k = 0; k < g.size(); ++k) parts[k].push_back(g[k]);
  }
  std::vector<Tensor> result;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Shape shape = joined(y.shape(), inputs[k].shape());
    result.push_back(n ? stack(parts[k]).reshape(shape) : zeros(shape, {.dtype = inputs[k].dtype(), .device = inputs[k].device()}));
  }
  return result;
}

TensorsFunction of_list(const TensorFunction& f) {
  return [&f](const std::vector<Tensor>& in) { return f(in[0]); };
}

}  // namespace

std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& o) {
  EnableGrad on;
  const Tensor in = entry("vjp", x, o.create_graph), y = f(in);
  if (v.defined()) check_direction("vjp", v, y, "f(x)");
  else check_single("vjp", y);
  const Tensor g = gradients(y, {in}, v, false, o.create_graph)[0];
  return {o.create_graph ? y : y.detach(), g};
}

std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& o) {
  EnableGrad on;
  const Tensor in = entry("jvp", x, o.create_graph), y = f(in);
  check_direction("jvp", v, x, "x");
  Tensor w = zeros(y.shape(), {.dtype = y.dtype(), .device = y.device()});
  w.requires_grad_();
  const Tensor g = gradients(y, {in}, w, true, true)[0];
  const Tensor result = gradients(g, {w}, v, false, o.create_graph)[0];
  return {o.create_graph ? y : y.detach(), result};
}

std::vector<Tensor> jacobian(const TensorsFunction& f, const std::vector<Tensor>& inputs, const DerivativeOptions& o) {
  EnableGrad on;
  const auto in = entries("jacobian", inputs, o.create_graph);
  return rows(f(in), in, o.create_graph);
}
Tensor jacobian(const TensorFunction& f, const Tensor& x, const DerivativeOptions& o) { return jacobian(of_list(f), std::vector<Tensor>{x}, o)[0]; }

std::vector<std::vector<Tensor>> hessian(const TensorsFunction& f, const std::vector<Tensor>& inputs, const DerivativeOptions& o) {
  EnableGrad on;
  const auto in = entries("hessian", inputs, o.create_graph);
  const Tensor y = f(in);
  check_single("hessian", y);
  std::vector<std::vector<Tensor>> result;
  for (const Tensor& g : gradients(y, in, ones(y.shape(), {.dtype = y.dtype(), .device = y.device()}), true, true)) result.push_back(rows(g, in, o.create_graph));
  return result;
}
Tensor hessian(const TensorFunction& f, const Tensor& x, const DerivativeOptions& o) { return hessian(of_list(f), std::vector<Tensor>{x}, o)[0][0]; }

std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& o) {
  EnableGrad on;
  const Tensor in = entry("hvp", x, o.create_graph), y = f(in);
  check_single("hvp", y);
  check_direction("hvp", v, x, "x");
  const Tensor g = gradients(y, {in}, {}, true, true)[0];
  return {o.create_graph ? y : y.detach(), gradients(g, {in}, v, false, o.create_graph)[0]};
}
std::pair<Tensor, Tensor> vhp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& o) { return hvp(f, x, v, o); }

}  // namespace rill

// Derivatives of functions. x is copied off the tape first, so f sees a fresh leaf; with create_graph the results are recorded as
// functions of the given x and can be differentiated again. An input that f does not use has derivative zero.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

using TensorFunction = std::function<Tensor(const Tensor&)>;
using TensorsFunction = std::function<Tensor(const std::vector<Tensor>&)>;

struct DerivativeOptions {
  bool create_graph = false;
};

/// f(x) and v^T J; v has the shape of f(x) (omitted: f(x) must have one element).
std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& x, const Tensor& v = {}, const DerivativeOptions& options = {});
/// f(x) and J v; v has the shape of x. Two backward passes: v^T J is linear in v, so its own gradient is J v.
std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& options = {});
/// d f(x)[i] / d x[j], shape of f(x) followed by the shape of x; one backward pass per element of f(x).
Tensor jacobian(const TensorFunction& f, const Tensor& x, const DerivativeOptions& options = {});
std::vector<Tensor> jacobian(const TensorsFunction& f, const std::vector<Tensor>& inputs, const DerivativeOptions& options = {});
/// Second derivatives of f, which returns one element: shape of x twice. ShapeError otherwise.
Tensor hessian(const TensorFunction& f, const Tensor& x, const DerivativeOptions& options = {});
/// result[i][j]: shape of input i followed by the shape of input j.
std::vector<std::vector<Tensor>> hessian(const TensorsFunction& f, const std::vector<Tensor>& inputs, const DerivativeOptions& options = {});
/// f(x) and H v (v^T H): the gradient of the gradient along v.
std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& options = {});
std::pair<Tensor, Tensor> vhp(const TensorFunction& f, const Tensor& x, const Tensor& v, const DerivativeOptions& options = {});

}  // namespace rill

// Are gradients right? Comparison with central differences.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

struct GradcheckOptions {
  double eps = 1e-6;      ///< step of the difference quotient (f(x + eps) - f(x - eps)) / (2 eps)
  double rtol = 1e-6;     ///< |analytic - numeric| <= atol + rtol |numeric|
  double atol = 1e-7;
  bool layouts = true;    ///< also with inputs and incoming gradients that are not contiguous
  bool repeat = true;     ///< also that a second run gives the same bits
  bool raise = false;     ///< throw GradError with the message instead of returning it
};

struct GradcheckResult {
  bool ok = true;
  std::string message;    ///< what differs first, with the elements and both values; empty when ok
  explicit operator bool() const noexcept { return ok; }
};

using CheckedFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// Compares every element of the Jacobian of every output with respect to every input that requires grad; for functions of several
/// outputs one of them gets a gradient at a time, the others none. Those inputs must be float64 (DtypeError). f must be a
/// function: the same result for the same inputs, no random numbers.
GradcheckResult gradcheck(const CheckedFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});
/// The same for the gradient as a function of the inputs and of the incoming gradients: second derivatives.
GradcheckResult gradgradcheck(const CheckedFunction& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});
GradcheckResult gradgradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {});

}  // namespace rill

#include <rill/autograd/gradcheck.h>

#include <cmath>
#include <cstring>

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/random.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"

namespace rill {
namespace {

using Tensors = std::vector<Tensor>;
using Single = std::function<Tensor(const Tensors&)>;

/// A leaf with the values of x.
Tensor leaf_of(const Tensor& x, bool strided = false) {
  NoGrad off;
  if (!x.defined()) return x;
  Tensor copy;
  if (strided) {  // every second element of a larger tensor
    Shape shape = x.shape();
    shape.push_back(2);
    copy = zeros(shape, {.dtype = x.dtype(), .device = x.device()}).select(-1, 0);
    copy.copy_(x);
    copy = copy.detach();
  } else {
    copy = x.detach().clone(MemoryFormat::contiguous);
  }
  if (x.requires_grad()) copy.requires_grad_();
  return copy;
}
Tensors leaves_of(const Tensors& inputs, bool strided = false) {
  Tensors all;
  for (const Tensor& x : inputs) all.push_back(leaf_of(x, strided));
  return all;
}

bool differentiable(const Tensor& t) { return t.defined() && is_floating(t.dtype()) && t.requires_grad(); }

/// Gradients of one output, zero where an input is not used.
Tensors backward_of(const Tensor& y, const Tensor& v, const Tensors& wanted) {
  Tensors g(wanted.size());
  if (differentiable(y)) g = grad({y}, wanted, {v}, {.retain_graph = true, .allow_unused = true});
  for (std::size_t i = 0; i < g.size(); ++i)
    if (!g[i].defined()) g[i] = zeros_like(wanted[i].detach());
  return g;
}

struct Failure {
  std::string message;
};
template <class... A> [[noreturn]] void differ(fmt::format_string<A...> f, A&&... a) { throw Failure{fmt::format(f, std::forward<A>(a)...)}; }

std::string place(const Shape& shape, std::int64_t linear) {
  Dims at = shape;
  for (int a = shape.rank() - 1; a >= 0; --a) at[a] = linear % shape[a], linear /= shape[a];
  return to_string(at);
}

void compare_same(const Tensor& a, const Tensor& b, std::size_t output, std::size_t input, const char* what) {
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) differ("d output {} / d input {}: {} give {} and {}", output, input, what, describe(a), describe(b));
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= 1e-12 + 1e-10 * std::abs(y[i])) && !(std::isnan(x[i]) && std::isnan(y[i])) && x[i] != y[i])
      differ("d output {} / d input {}: {} give {} and {} at {}", output, input, what, x[i], y[i], place(a.shape(), static_cast<std::int64_t>(i)));
}

void check_all(const CheckedFunction& f, const Tensors& inputs, const GradcheckOptions& o) {
  EnableGrad on;
  const Tensors leaves = leaves_of(inputs);
  std::vector<std::size_t> which;  // inputs that require grad
  Tensors wanted;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (leaves[i].defined() && leaves[i].requires_grad()) which.push_back(i), wanted.push_back(leaves[i]);
  check<ValueError>(!which.empty(), "gradcheck", "no input requires grad; call requires_grad_() on one");
  for (const Tensor& x : wanted) check<DtypeError>(x.dtype() == Dtype::float64, "gradcheck", "{} is too inexact for differences; use float64 inputs", describe(x));
  const Tensors outputs = f(leaves);

  // analytic[k][j]: rows of d output j / d input k
  std::vector<std::vector<std::vector<std::vector<double>>>> analytic(wanted.size(), std::vector<std::vector<std::vector<double>>>(outputs.size()));
  for (std::size_t j = 0; j < outputs.size(); ++j) {
    if (!outputs[j].defined() || !is_floating(outputs[j].dtype())) continue;
    for (std::int64_t e = 0; e < outputs[j].numel(); ++e) {
      const Tensor v = zeros(outputs[j].shape(), {.dtype = outputs[j].dtype(), .device = outputs[j].device()});
      v.view({-1}).select(0, e).fill_(1);
      const Tensors g = backward_of(outputs[j], v, wanted);
      for (std::size_t k = 0; k < g.size(); ++k) {
        if (g[k].shape() != wanted[k].shape()) differ("d output {} / d input {}: the gradient has shape {}, the input {}", j, which[k], to_string(g[k].shape()), to_string(wanted[k].shape()));
        analytic[k][j].push_back(g[k].to_vector<double>());
      }
    }
  }

  const auto moved = [&](std::size_t input, std::int64_t element, double by) {
    Tensors x = leaves_of(inputs);
    {
      NoGrad off;
      x[input].detach().view({-1}).select(0, element).add_(by);
    }
    std::vector<std::vector<double>> values;
    for (const Tensor& y : f(x)) values.push_back(y.defined() && is_floating(y.dtype()) ? y.to_vector<double>() : std::vector<double>{});
    return values;
  };
  for (std::size_t k = 0; k < wanted.size(); ++k)
    for (std::int64_t e = 0; e < wanted[k].numel(); ++e) {
      const auto up = moved(which[k], e, o.eps), down = moved(which[k], e, -o.eps);
      for (std::size_t j = 0; j < outputs.size(); ++j)
        for (std::size_t r = 0; r < analytic[k][j].size(); ++r) {
          const double numeric = (up[j][r] - down[j][r]) / (2 * o.eps), exact = analytic[k][j][r][static_cast<std::size_t>(e)];
          if (!(std::abs(exact - numeric) <= o.atol + o.rtol * std::abs(numeric)))
            differ("d output {} {} / d input {} {}: backward gives {}, differences give {}", j, place(outputs[j].shape(), static_cast<std::int64_t>(r)), which[k], place(wanted[k].shape(), e), exact, numeric);
        }
    }

  if (!o.repeat && !o.layouts) return;
  const Generator random(1);
  for (int pass = o.repeat ? 0 : 1; pass < (o.layouts ? 3 : 1); ++pass) {  // 0: again, 1: strided inputs, 2: strided gradients
    const Tensors again = leaves_of(inputs, pass == 1);
    Tensors wanted_again;
    for (std::size_t i : which) wanted_again.push_back(again[i]);
    const Tensors second = f(again);
    const char* what = pass == 0 ? "two runs" : pass == 1 ? "contiguous and strided inputs" : "contiguous and strided incoming gradients";
    if (second.size() != outputs.size()) differ("{} give {} and {} outputs", what, outputs.size(), second.size());
    for (std::size_t j = 0; j < outputs.size(); ++j) {
      if (!differentiable(outputs[j])) continue;
      compare_same(outputs[j].detach(), second[j].detach(), j, 0, what);
      const Tensor v = randn(outputs[j].shape(), {.dtype = outputs[j].dtype(), .device = outputs[j].device()}, random);
      Tensor v2 = v;
      if (pass == 2) v2 = leaf_of(v, true);
      const Tensors a = backward_of(outputs[j], v, wanted), b = backward_of(second[j], v2, wanted_again);
      for (std::size_t k = 0; k < a.size(); ++k) {
        compare_same(a[k], b[k], j, which[k], what);
        const Tensor one = a[k].cpu(), other = b[k].cpu();
        if (pass == 0 && one.is_contiguous() && other.is_contiguous() && std::memcmp(one.data_ptr(), other.data_ptr(), one.nbytes()) != 0)
          differ("d output {} / d input {}: two runs give different bits", j, which[k]);
      }
    }
  }
}

GradcheckResult guarded(const char* op, const GradcheckOptions& o, const std::function<void()>& run) {
  try {
    run();
  } catch (const Failure& f) {
    if (o.raise) fail<GradError>(op, "{}", f.message);
    return {false, std::string(op) + ": " + f.message};
  }
  return {};
}

}  // namespace

GradcheckResult gradcheck(const CheckedFunction& f, const Tensors& inputs, const GradcheckOptions& o) {
  return guarded("gradcheck", o, [&] { check_all(f, inputs, o); });
}

GradcheckResult gradgradcheck(const CheckedFunction& f, const Tensors& inputs, const GradcheckOptions& o) {
  return guarded("gradgradcheck", o, [&] {
    EnableGrad on;
    // the function under test: (inputs, incoming gradients) -> gradients of the inputs that require grad
    const Tensors probe = f(leaves_of(inputs));
    std::vector<std::size_t> used;
    Tensors all = inputs;
    const Generator random(2);
    for (std::size_t j = 0; j < probe.size(); ++j) {
      if (!differentiable(probe[j])) continue;
      used.push_back(j);
      Tensor v = randn(probe[j].shape(), {.dtype = probe[j].dtype(), .device = probe[j].device()}, random);
      v.requires_grad_();
      all.push_back(v);
    }
    check<ValueError>(!used.empty(), "gradgradcheck", "no output depends on an input that requires grad");
    const std::size_t n = inputs.size();
    check_all(
        [&f, &used, n](const Tensors& x) {
          const Tensors in(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)), v(x.begin() + static_cast<std::ptrdiff_t>(n), x.end());
          const Tensors out = f(in);
          Tensors y, wanted;
          for (std::size_t j : used) y.push_back(out[j]);
          for (const Tensor& t : in)
            if (t.defined() && t.requires_grad()) wanted.push_back(t);
          Tensors g = grad(y, wanted, v, {.create_graph = true, .allow_unused = true});
          std::erase_if(g, [](const Tensor& t) { return !t.defined(); });
          return g;
        },
        all, o);
  });
}

namespace {
CheckedFunction list_of(const Single& f) {
  return [&f](const Tensors& in) { return Tensors{f(in)}; };
}
}  // namespace
GradcheckResult gradcheck(const Single& f, const Tensors& inputs, const GradcheckOptions& o) { return gradcheck(list_of(f), inputs, o); }
GradcheckResult gradgradcheck(const Single& f, const Tensors& inputs, const GradcheckOptions& o) { return gradgradcheck(list_of(f), inputs, o); }

}  // namespace rill

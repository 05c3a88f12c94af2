#include <rill/optim/lbfgs.h>

#include <algorithm>
#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "optim/hyper.h"
#include "optim/state.h"
#include "optim/strong_wolfe.h"

namespace rill::optim {
namespace {

double product(const Tensor& a, const Tensor& b) { return sum(a * b).item<double>(); }
double largest(const Tensor& x) { return max(abs(x)).item<double>(); }

}  // namespace

Lbfgs::Lbfgs(NamedTensors parameters, LbfgsOptions options) : Optimizer("Lbfgs"), options_(options) {
  check_at_least(name_, "lr", options.lr, 0);
  check<ValueError>(options.max_iter >= 1, name_, "max_iter is {}; expected at least 1", options.max_iter);
  check<ValueError>(options.max_eval >= 0, name_, "max_eval is {}; expected at least 1, or 0 for 5/4 max_iter", options.max_eval);
  check<ValueError>(options.history_size >= 1, name_, "history_size is {}; expected at least 1", options.history_size);
  check_at_least(name_, "tolerance_grad", options.tolerance_grad, 0);
  check_at_least(name_, "tolerance_change", options.tolerance_change, 0);
  if (options_.max_eval == 0) options_.max_eval = options.max_iter * 5 / 4;
  add_parameters(parameters, options.lr, [](const Tensor&) { return NamedTensors(); });
  check_not_empty();
  for (const auto& entry : parameters_) {
    size_ += entry.second.numel();
    if (entry.second.dtype() == float64) dtype_ = float64;
  }
  check<ValueError>(size_ > 0, name_, "all parameters are empty");
  d_ = zeros({size_}, {.dtype = dtype_});
  previous_grad_ = zeros({size_}, {.dtype = dtype_});
}

Tensor Lbfgs::flat(bool gradients) const {
  std::vector<Tensor> parts;
  for (const auto& entry : parameters_) {
    const Tensor& p = entry.second;
    const Tensor part = gradients ? p.grad() : p.detach();
    parts.push_back(part.defined() ? part.detach().reshape({-1}).to(dtype_) : zeros({p.numel()}, {.dtype = dtype_}));
  }
  return cat(parts, 0);
}
void Lbfgs::place(const Tensor& x) const {
  std::int64_t at = 0;
  for (const auto& entry : parameters_) {
    const Tensor& p = entry.second;
    p.copy_(narrow(x, 0, at, p.numel()).reshape(p.shape()));
    at += p.numel();
  }
}

/// Takes the pair that the last step has found.
void Lbfgs::remember(const Tensor& g) {
  const Tensor y = g - previous_grad_, s = d_ * length_;
  const double ys = product(y, s);
  if (!(ys > 1e-10)) return;
  if (static_cast<std::int64_t>(pairs_.size()) == options_.history_size) pairs_.erase(pairs_.begin());
  pairs_.push_back({y, s, 1 / ys});
  scale_ = ys / product(y, y);
}
/// -H g by the two loops over the pairs (Nocedal and Wright, algorithm 7.4).
Tensor Lbfgs::direction(const Tensor& g) const {
  Tensor q = -g;
  std::vector<double> alpha(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    alpha[i] = pairs_[i].rho * product(pairs_[i].s, q);
    q.add_(pairs_[i].y, -alpha[i]);
  }
  q.mul_(scale_);
  for (std::size_t i = 0; i < pairs_.size(); ++i) q.add_(pairs_[i].s, alpha[i] - pairs_[i].rho * product(pairs_[i].y, q));
  return q;
}

Tensor Lbfgs::step(const std::function<Tensor()>& loss) {
  const NoGrad off;
  std::int64_t evaluations = 0;
  const double sign = options_.maximize ? -1 : 1;
  const auto evaluate = [&] {
    const EnableGrad on;
    return loss();
  };
  const auto gradient = [&] { return options_.maximize ? -flat(true) : flat(true); };
  const Tensor first = evaluate();
  ++evaluations, ++func_evals_;
  double f = sign * first.item<double>();
  Tensor g = gradient();
  if (largest(g) <= options_.tolerance_grad) return first;

  for (std::int64_t i = 1; i <= options_.max_iter; ++i) {
    if (++n_iter_ == 1) pairs_.clear(), scale_ = 1;
    else remember(g);
    d_ = direction(g);
    length_ = n_iter_ == 1 ? std::min(1.0, 1 / sum(abs(g)).item<double>()) * lr() : lr();
    previous_grad_ = g;
    previous_loss_ = f;
    const double slope = product(g, d_);
    if (slope > -options_.tolerance_change) break;

    const Tensor start = flat(false);
    std::int64_t tried = 0;
    if (options_.line_search == LineSearch::strong_wolfe) {
      const LinePoint found = strong_wolfe({0, f, slope, g}, length_, largest(d_), options_.max_eval - evaluations, [&](double t) {
        place(start + d_ * t);
        LinePoint p{.t = t, .f = sign * evaluate().item<double>(), .g = gradient()};
        p.slope = product(p.g, d_);
        return p;
      }, tried);
      length_ = found.t, f = found.f, g = found.g;
      place(start + d_ * length_);
    } else {
      place(start + d_ * length_);
      if (i < options_.max_iter) {
        f = sign * evaluate().item<double>();
        g = gradient();
        ++tried;
      }
    }
    evaluations += tried;
    func_evals_ += tried;
    if (evaluations >= options_.max_eval || largest(g) <= options_.tolerance_grad) break;
    if (largest(d_ * length_) <= options_.tolerance_change || std::fabs(f - previous_loss_) < options_.tolerance_change) break;
  }
  return first;
}
void Lbfgs::step() { fail<FailedPrecondition>("Lbfgs", "step() needs the function that computes the loss and its gradients; call step(loss)"); }
void Lbfgs::set_momentum(double) { fail<FailedPrecondition>("set_momentum", "{} has no momentum", name_); }

StateDict Lbfgs::state_dict() const { fail<Unimplemented>("state_dict", "PyTorch keeps the history of Lbfgs as a list, which has no place among named tensors; save state()"); }
void Lbfgs::load_state_dict(const StateDict&) {
  fail<Unimplemented>("load_state_dict", "PyTorch keeps the history of Lbfgs as a list, which has no place among named tensors; load() takes what state() gave");
}

NamedTensors Lbfgs::state() const {
  std::vector<Tensor> y, s;
  for (const Pair& pair : pairs_) y.push_back(pair.y), s.push_back(pair.s);
  const auto rows = [&](const std::vector<Tensor>& list) { return list.empty() ? zeros({0, size_}, {.dtype = dtype_}) : stack(list, 0); };
  return {{"lbfgs.n_iter", full({}, n_iter_, {.dtype = int64})}, {"lbfgs.func_evals", full({}, func_evals_, {.dtype = int64})},
          {"lbfgs.numbers", tensor({length_, scale_, previous_loss_}, {.dtype = float64})}, {"lbfgs.d", d_}, {"lbfgs.prev_flat_grad", previous_grad_},
          {"lbfgs.old_dirs", rows(y)}, {"lbfgs.old_stps", rows(s)}};
}
void Lbfgs::load(const NamedTensors& given) {
  NamedTensors mine = state();
  const Tensor found = find(given, "lbfgs.old_dirs");
  if (found.defined() && found.dim() == 2 && found.size(0) <= options_.history_size)  // as many pairs as were remembered
    for (std::size_t k : {5u, 6u}) mine[k].second = zeros({found.size(0), size_}, {.dtype = dtype_});
  const auto v = match("load", mine, given);
  n_iter_ = v[0].item<std::int64_t>(), func_evals_ = v[1].item<std::int64_t>();
  const auto numbers = v[2].to_vector<double>();
  length_ = numbers[0], scale_ = numbers[1], previous_loss_ = numbers[2];
  d_ = v[3].clone(), previous_grad_ = v[4].clone();
  pairs_.clear();
  for (std::int64_t k = 0; k < v[5].size(0); ++k) {
    Pair pair{v[5].select(0, k).clone(), v[6].select(0, k).clone(), 0};
    pair.rho = 1 / product(pair.y, pair.s);
    pairs_.push_back(pair);
  }
}

}  // namespace rill::optim

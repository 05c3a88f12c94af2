#include "autograd/recurrent.h"

#include <algorithm>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/products.h"

namespace rill {

Sequence::Sequence(const char* op, const Tensor& x, const Tensor& state, const SequenceOptions& options) {
  check_defined(op, x);
  check<DtypeError>(is_floating(impl(x).dtype), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", impl(x).dtype);
  const Shape& shape = impl(x).shape;
  const auto& sizes = options.batch_sizes;
  if (sizes.empty()) {
    check<ShapeError>(shape.rank() == 3, op, "x {} has rank {}; expected [T, N, features], or [rows, features] with batch_sizes", describe(x), shape.rank());
    batch = shape[1], total = shape[0] * shape[1];
    for (std::int64_t t = 0; t < shape[0]; ++t) steps.push_back({t * batch, batch});
  } else {
    check<ShapeError>(shape.rank() == 2, op, "x {} has rank {}; with batch_sizes it is packed: [rows, features]", describe(x), shape.rank());
    batch = state.defined() && impl(state).shape.rank() == 2 ? impl(state).shape[0] : sizes[0];
    std::int64_t before = batch;
    for (std::size_t t = 0; t < sizes.size(); ++t) {
      check<ValueError>(sizes[t] >= 1 && sizes[t] <= before, op, "batch_sizes[{}] is {}; it must be between 1 and {}, {}", t, sizes[t], before, t ? "the size before" : "the rows of the state");
      steps.push_back({total, sizes[t]});
      total += before = sizes[t];
    }
    check<ShapeError>(total == shape[0], op, "batch_sizes add up to {} rows, x {} has {}", total, describe(x), shape[0]);
  }
  for (int a = 0; a + 1 < shape.rank(); ++a) lead.push_back(shape[a]);
  if (options.reverse) std::reverse(steps.begin(), steps.end());
}

Tensor Sequence::unpack(const Tensor& x) const {
  Shape shape = lead;
  shape.push_back(x.size(1));
  return x.reshape(shape);
}

void check_arguments(const char* op, const Tensor& x, std::initializer_list<Argument> arguments) {
  for (const Argument& a : arguments) {
    if (!a.tensor.defined()) {
      check<ValueError>(!a.required, op, "{} is undefined; pass a tensor of shape {}", a.name, a.shape);
      continue;
    }
    check_same_device(op, x, a.tensor);
    check<DtypeError>(impl(a.tensor).dtype == impl(x).dtype, op, "{} is {}, x is {}; convert one with .to()", a.name, impl(a.tensor).dtype, impl(x).dtype);
    check<ShapeError>(impl(a.tensor).shape == a.shape, op, "{} has shape {}, expected {} for x {}", a.name, impl(a.tensor).shape, a.shape, describe(x));
  }
}

std::int64_t units_of(const char* op, const Tensor& x, const Tensor& weight, std::int64_t gates) {
  check_defined(op, weight, "weight_ih");
  const Shape &w = impl(weight).shape, &s = impl(x).shape;
  check<ShapeError>(w.rank() == 2 && w[0] % gates == 0, op, "weight_ih has shape {}; expected [{} units, features]", w, gates);
  check<ShapeError>(w[1] == s.back(), op, "x {} has {} features, weight_ih {} expects {}", describe(x), s.back(), w, w[1]);
  return w[0] / gates;
}

Tensor states_before(const Sequence& s, const Tensor& after, const Tensor& initial) {
  const Tensor out = matrix_like(after, s.total, impl(after).shape[1]);
  Step last{0, 0};
  for (const Step& now : s.steps) {
    const std::int64_t shared = std::min(last.rows, now.rows);
    if (shared) copy_values(rows(after, {last.first, shared}), rows(out, {now.first, shared}));
    if (now.rows > shared) copy_values(rows(initial, {shared, now.rows - shared}), rows(out, {now.first + shared, now.rows - shared}));
    last = now;
  }
  return out;
}

bool keeps_bfloat16(const Tensor& x) { return impl(x).device.is_cpu() && fast_16bit_products(x); }
Tensor wide_product(const Tensor& a, const Tensor& b) { return wide_linear(a, b.t(), {}); }
Tensor wide_linear(const Tensor& x, const Tensor& w, const Tensor& bias) {
  const NoGrad off;
  const Dtype low = impl(x).dtype == Dtype::bfloat16 || impl(w).dtype == Dtype::bfloat16 ? Dtype::bfloat16 : impl(x).dtype;
  if (low != Dtype::bfloat16) return linear(x, w, bias);
  const Tensor out = make_tensor({impl(x).shape[0], impl(w).shape[0]}, Dtype::float32, impl(x).device);
  if (bias.defined()) copy_values(bias, out);
  multiply(x.to(low), w.to(low).t(), out, bias.defined());
  return out;
}

StepOperand::StepOperand(const Tensor& b, const Sequence& s) : b_(b) {
  constexpr std::size_t kWorthIt = 4;  // steps: packing reads and writes b once
  if (s.steps.size() < kWorthIt || impl(b).numel == 0 || !impl(b).device.is_cpu()) return;
  const Kernels& k = kernels(b);
  panels_ = make_tensor({k.panels_size(impl(b).dtype, impl(b).shape[0], impl(b).shape[1])}, impl(b).dtype, impl(b).device);
  k.pack_panels(view(b), impl(panels_).data);
}
void StepOperand::multiply(const Tensor& given, const Tensor& out, bool accumulate) const {
  const Tensor a = given.to(impl(b_).dtype);
  if (panels_.defined()) kernels(a).gemm_packed(view(a), impl(panels_).data, view(out), accumulate);
  else rill::multiply(a, b_, out, accumulate);
}

Tensor bias_sum(const Tensor& b, const Tensor& c) { return b.defined() && c.defined() ? b + c : b.defined() ? b : c; }

Tensor running_gradient(const Tensor& g, const Tensor& like) {
  return g.defined() ? g.detach().clone(MemoryFormat::contiguous) : zeros(like.shape(), {.dtype = like.dtype(), .device = like.device()});
}

Tensor merge_rows(const Tensor& changed, const Tensor& old) {
  const std::int64_t n = changed.size(0), rest = old.size(0) - n;
  return rest ? cat({changed, narrow(old, 0, n, rest)}) : changed;
}
Tensor join_steps(const Sequence& s, std::vector<Tensor> outputs, const Tensor& state) {
  if (outputs.empty()) return matrix_like(state, 0, state.size(1));
  if (s.steps.size() > 1 && s.steps.front().first > s.steps.back().first) std::reverse(outputs.begin(), outputs.end());
  return cat(outputs);
}

std::vector<Tensor> converted(std::vector<Tensor> list, Dtype dtype) {
  for (Tensor& t : list)
    if (t.defined()) t = t.to(dtype);
  return list;
}

}  // namespace rill

// The plain recurrent layer and the GRU (rill/ops/rnn.h); lstm.cpp says how the work is arranged.
#include <rill/ops/rnn.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/recorded_gradients.h"
#include "autograd/whole_layer.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

enum In { kX, kH, kIh, kHh, kBiasIh, kBiasHh, kInputs };
using List = std::vector<Tensor>;

/// What differs between the layers. Lists are in the order of In; outputs are [total, units] and the last state.
struct RnnLayer {
  const char* op;
  RnnCell cell;
  List (*unrolled)(const Sequence&, const List& in);
  /// Fills `kept` when it is not null.
  List (*forward)(const Sequence&, const List& in, List* kept);
  /// `g`: gradients of the outputs; `kept` is followed by the output.
  List (*gradients)(const Sequence&, const List& in, const List& kept, std::span<const Tensor> g, const GradSink&);
};

/// The layer with public ops, for higher derivatives of one by the backend's library.
List unrolled_layer(const RnnLayer& layer, const Sequence& q, const List& in) {
  const Dtype dtype = impl(in[kX]).dtype;
  return converted(layer.unrolled(q, converted(in, compute_dtype(dtype))), dtype);
}

/// By the backend's library.
List run_whole(const RnnLayer& layer, const Sequence& q, const WholeLayer& whole, const List& in) {
  const auto tensors_of = [](const List& t) { return RnnTensors{t[kX], t[kH], {}, t[kIh], t[kHh], t[kBiasIh], t[kBiasHh], {}}; };
  const bool keep = recording_any(in, {});
  Tensor reserve;
  const RnnResult r = whole.forward(tensors_of(in), keep ? &reserve : nullptr);
  List out{r.y, r.h};
  if (!keep) return out;
  std::vector<Saved> saved;
  for (const Tensor& t : in) saved.push_back(save(t));
  record_many(layer.op, in, out, [&layer, q, whole, saved, reserve, tensors_of, output = save(make_detached(out[0]))](std::span<Tensor> g, GradSink&) -> List {
    List in;
    for (const Saved& t : saved) in.push_back(t());
    if (recording_any(in, g)) return recorded_gradients([&](const List& x) { return unrolled_layer(layer, q, x); }, in, g);
    const RnnTensors found = whole.gradient(tensors_of(in), output(), {g[0], g[1], {}}, reserve);
    return {found.x, found.h, found.ih, found.hh, found.bias_ih, found.bias_hh};
  });
  return out;
}

RecurrentResult run(const RnnLayer& layer, const Tensor& x, const Tensor& h, const RecurrentWeights& w, const SequenceOptions& options) {
  if (amp::on()) [[unlikely]]
    return amp::low([&](const Tensor& x, const Tensor& h, const Tensor& ih, const Tensor& hh, const Tensor& b, const Tensor& c) { return run(layer, x, h, {ih, hh, b, c}, options); },
                    x, h, w.ih, w.hh, w.bias_ih, w.bias_hh);
  const OpRange here(layer.op, x, h);
  const Sequence q(layer.op, x, h, options);
  const std::int64_t gates = gates_of(layer.cell), units = units_of(layer.op, x, w.ih, gates), width = gates * units;
  check_arguments(layer.op, x, {{"weight_ih", w.ih, w.ih.shape(), true}, {"weight_hh", w.hh, {width, units}, true}, {"bias_ih", w.bias_ih, {width}}, {"bias_hh", w.bias_hh, {width}},
                                {"h", h, {q.batch, units}}});
  const Dtype dtype = impl(x).dtype;
  List in{q.pack(x), h.defined() ? h : zeros({q.batch, units}, {.dtype = dtype, .device = x.device()}), w.ih, w.hh, w.bias_ih, w.bias_hh};
  if (WholeLayer::available(x))
    if (const WholeLayer whole(q, layer.cell, in[kX], units, units, {0, 1, 2, 3}); whole.fits()) {
      const List out = run_whole(layer, q, whole, in);
      return {q.unpack(out[0]), out[1]};
    }
  in = converted(std::move(in), compute_dtype(dtype));
  List out, kept;
  const bool keep = recording_any(in, {});
  {
    const NoGrad off;
    out = layer.forward(q, in, keep ? &kept : nullptr);
  }
  if (keep) {
    kept.push_back(make_detached(out[0]));
    std::vector<Saved> saved, states;
    for (const Tensor& t : in) saved.push_back(save(t));
    for (const Tensor& t : kept) states.push_back(save(t));
    record_many(layer.op, in, out, [&layer, q, saved, states](std::span<Tensor> g, GradSink& sink) -> List {
      List in, kept;
      for (const Saved& t : saved) in.push_back(t());
      if (recording_any(in, g)) return recorded_gradients([&](const List& x) { return layer.unrolled(q, x); }, in, g);
      for (const Saved& t : states) kept.push_back(t());
      const NoGrad off;
      return layer.gradients(q, in, kept, g, sink);
    });
  }
  return {q.unpack(out[0]).to(dtype), out[1].to(dtype)};
}

/// The gradients of weights and biases from those of the products of the input (gx) and of the state (gy), `before` of each step.
List product_gradients(const List& in, const Tensor& gx, const Tensor& gy, const Tensor& before, const Tensor& gh, const GradSink& sink) {
  List result(kInputs);
  result[kH] = gh;
  if (sink.wants(kX)) result[kX] = matmul(gx, in[kIh]);
  if (sink.wants(kIh)) result[kIh] = matmul(gx.t(), in[kX]);
  if (sink.wants(kHh)) result[kHh] = matmul(gy.t(), before);
  if (sink.wants(kBiasIh)) result[kBiasIh] = sum(gx, {0});
  if (sink.wants(kBiasHh)) result[kBiasHh] = sum(gy, {0});
  return result;
}

// ---- h = f(x + y) ---------------------------------------------------------------------------------------------------------------

template <class F> List plain_unrolled(const Sequence& q, const List& in) {
  const Tensor products = linear(in[kX], in[kIh], bias_sum(in[kBiasIh], in[kBiasHh])), recurrent = in[kHh].t();
  Tensor h = in[kH];
  List outputs;
  for (const Step& t : q.steps) {
    outputs.push_back(unary<F>(narrow(products, 0, t.first, t.rows) + matmul(narrow(h, 0, 0, t.rows), recurrent)));
    h = merge_rows(outputs.back(), h);
  }
  return {join_steps(q, std::move(outputs), h), h};
}

template <class F> List plain_forward(const Sequence& q, const List& in, List*) {
  const Tensor output = linear(in[kX], in[kIh], bias_sum(in[kBiasIh], in[kBiasHh])), h = in[kH].detach().clone(MemoryFormat::contiguous);
  const StepOperand recurrent(in[kHh].t(), q);
  for (const Step& t : q.steps) {
    const Tensor z = rows(output, t), state = rows(h, {0, t.rows});
    recurrent.multiply(state, z, true);
    unary_<F>(z);
    copy_values(z, state);
  }
  return {output, h};
}

template <class F> List plain_gradients(const Sequence& q, const List& in, const List& kept, std::span<const Tensor> g, const GradSink& sink) {
  const Tensor output = kept[0], gz = make_like(output), g_output = g[0].defined() ? g[0].contiguous() : Tensor(), gh = running_gradient(g[1], in[kH]);
  const StepOperand recurrent(in[kHh], q);
  const F f;
  for (std::size_t k = q.steps.size(); k-- > 0;) {
    const Step t = q.steps[k];
    const Tensor state = rows(gh, {0, t.rows}), z = rows(gz, t), y = rows(output, t);
    if (g_output.defined()) state.add_(rows(g_output, t));
    static_assert((unary_reads<F>() & Probe::kA) == 0);  // y stands in for the input, which is not read
    run_map(kernels(z), F::name, kernels(z).unary_grad[fn::Unary::index<F>], &f, z.dtype(), z.dtype(), z, state, y, y);
    recurrent.multiply(z, state, false);
  }
  return product_gradients(in, gz, gz, sink.wants(kHh) ? states_before(q, output, in[kH]) : Tensor(), gh, sink);
}

template <class F, RnnCell cell> constexpr RnnLayer kPlain{"rnn_layer", cell, &plain_unrolled<F>, &plain_forward<F>, &plain_gradients<F>};

// ---- GRU ------------------------------------------------------------------------------------------------------------------------

Tensor gate(const Tensor& z, std::int64_t k) { return narrow(z, 1, k * (z.size(1) / 3), z.size(1) / 3); }

List gru_unrolled(const Sequence& q, const List& in) {
  const Tensor products = linear(in[kX], in[kIh], in[kBiasIh]);
  Tensor h = in[kH];
  List outputs;
  for (const Step& t : q.steps) {
    const Tensor before = narrow(h, 0, 0, t.rows), x = narrow(products, 0, t.first, t.rows), y = linear(before, in[kHh], in[kBiasHh]);
    const Tensor r = sigmoid(gate(x, 0) + gate(y, 0)), z = sigmoid(gate(x, 1) + gate(y, 1)), n = tanh(gate(x, 2) + r * gate(y, 2));
    outputs.push_back(n + z * (before - n));
    h = merge_rows(outputs.back(), h);
  }
  return {join_steps(q, std::move(outputs), h), h};
}

List gru_forward(const Sequence& q, const List& in, List* kept) {
  const std::int64_t units = in[kH].size(1);
  const Tensor gates = linear(in[kX], in[kIh], in[kBiasIh]), output = matrix_like(gates, q.total, units), products = matrix_like(gates, q.batch, 3 * units);
  const Tensor products_n = matrix_like(gates, kept ? q.total : q.batch, units), h = in[kH].detach().clone(MemoryFormat::contiguous);
  const StepOperand recurrent(in[kHh].t(), q);
  for (const Step& t : q.steps) {
    const Step first{0, t.rows};
    const Tensor y = rows(products, first), state = rows(h, first);
    if (in[kBiasHh].defined()) copy_values(in[kBiasHh], y);
    recurrent.multiply(state, y, in[kBiasHh].defined());
    kernels(y).gru_step(y.dtype(), {.rows = t.rows, .units = units, .x = impl(rows(gates, t)).data, .y = impl(y).data, .y_n = impl(rows(products_n, kept ? t : first)).data, .h = impl(h).data});
    copy_values(state, rows(output, t));
  }
  if (kept) *kept = {gates, products_n};
  return {output, h};
}

List gru_gradients(const Sequence& q, const List& in, const List& kept, std::span<const Tensor> g, const GradSink& sink) {
  const std::int64_t units = in[kH].size(1);
  const Tensor &gates = kept[0], &products_n = kept[1], gx = make_like(gates), gy = make_like(gates), before = states_before(q, kept[2], in[kH]);
  const Tensor g_output = g[0].defined() ? g[0].contiguous() : Tensor(), gh = running_gradient(g[1], in[kH]);
  const StepOperand recurrent(in[kHh], q);
  for (std::size_t k = q.steps.size(); k-- > 0;) {
    const Step t = q.steps[k];
    const Tensor state = rows(gh, {0, t.rows}), y = rows(gy, t);
    if (g_output.defined()) state.add_(rows(g_output, t));
    kernels(y).gru_step_gradient(y.dtype(), {.rows = t.rows, .units = units, .x = impl(rows(gates, t)).data, .y = nullptr, .y_n = impl(rows(products_n, t)).data,
                                             .h = impl(rows(before, t)).data, .g = impl(gh).data, .gx = impl(rows(gx, t)).data, .gy = impl(y).data});
    recurrent.multiply(y, state, true);
  }
  return product_gradients(in, gx, gy, before, gh, sink);
}

constexpr RnnLayer kGru{"gru_layer", RnnCell::gru, &gru_unrolled, &gru_forward, &gru_gradients};

}  // namespace

RecurrentResult rnn_layer(const Tensor& x, const Tensor& h, const RecurrentWeights& w, RnnNonlinearity f, const SequenceOptions& options) {
  return run(f == RnnNonlinearity::tanh ? kPlain<fn::Tanh, RnnCell::tanh> : kPlain<fn::Relu, RnnCell::relu>, x, h, w, options);
}
RecurrentResult gru_layer(const Tensor& x, const Tensor& h, const RecurrentWeights& w, const SequenceOptions& options) { return run(kGru, x, h, w, options); }

}  // namespace rill

// The LSTM layer (rill/ops/rnn.h). The products of all steps with the input's weights are one matrix product, and so are the gradients
// of both weights; what has to go step by step is one product with the state's weights and one pass over the gates.
#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/rnn.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/recorded_gradients.h"
#include "autograd/whole_layer.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constexpr const char* kLstm = "lstm_layer";
enum In { kX, kH, kC, kIh, kHh, kBiasIh, kBiasHh, kHr, kPeepI, kPeepF, kPeepO, kInputs };
using List = std::vector<Tensor>;

struct Spec {
  Sequence sequence;
  std::int64_t units;
  std::array<std::int64_t, 4> block;  // of i, f, g, o
  double forget_bias, cell_clip, proj_clip;
  bool projected, limited;            // h is projected; and then limited

  /// The bias of the state's products and that of the forget gate, undefined for zero.
  Tensor bias_hh(const List& in) const {
    const Tensor& b = in[kBiasHh];
    if (forget_bias == 0) return b;
    Tensor f = zeros({4 * units}, {.dtype = in[kH].dtype(), .device = in[kH].device()});
    narrow(f, 0, block[1] * units, units).fill_(forget_bias);
    return b.defined() ? b + f : f;
  }
  /// All biases as one vector for all steps.
  Tensor bias(const List& in) const { return bias_sum(in[kBiasIh], bias_hh(in)); }
  LstmStep step(const List& in, const Step& s) const {
    LstmStep k{.rows = s.rows, .units = units, .block = block, .clip = cell_clip, .peepholes = {}, .gates = nullptr, .c = nullptr};
    if (in[kPeepI].defined())
      for (std::size_t p = 0; p < 3; ++p) k.peepholes[p] = impl(in[kPeepI + p]).data;
    return k;
  }
  Tensor gate(const Tensor& z, int g) const { return narrow(z, 1, block[static_cast<std::size_t>(g)] * units, units); }
};

/// The same with public ops, for higher derivatives.
List unrolled(const Spec& s, const List& given) {
  const Dtype dtype = given[kH].dtype();
  const List in = converted(given, compute_dtype(dtype));
  const Tensor products = linear(in[kX], in[kIh], s.bias(in)), recurrent = in[kHh].t();
  const bool peepholes = in[kPeepI].defined();
  const auto limit = [](const Tensor& x, double clip) { return std::isinf(clip) ? x : clamp(x, -clip, clip); };
  Tensor h = in[kH], c = in[kC];
  List outputs;
  for (const Step& t : s.sequence.steps) {
    const Tensor c_before = narrow(c, 0, 0, t.rows), z = narrow(products, 0, t.first, t.rows) + matmul(narrow(h, 0, 0, t.rows), recurrent);
    Tensor i = s.gate(z, 0), f = s.gate(z, 1), o = s.gate(z, 3);
    if (peepholes) i = i + c_before * in[kPeepI], f = f + c_before * in[kPeepF];
    const Tensor c_now = limit(sigmoid(f) * c_before + sigmoid(i) * tanh(s.gate(z, 2)), s.cell_clip);
    if (peepholes) o = o + c_now * in[kPeepO];
    Tensor h_now = sigmoid(o) * tanh(c_now);
    if (s.projected) h_now = limit(matmul(h_now, in[kHr].t()), s.proj_clip);
    outputs.push_back(h_now);
    h = merge_rows(h_now, h), c = merge_rows(c_now, c);
  }
  return converted({join_steps(s.sequence, std::move(outputs), h), h, c}, dtype);
}

/// What forward leaves for backward, one row per row of x: activations, memories, outputs, and projections before they were limited.
struct Kept {
  Tensor gates, c, output, projection;
};

List gradients(const Spec& s, const List& in, const Kept& kept, std::span<const Tensor> g, const GradSink& sink) {
  const NoGrad off;
  const Sequence& q = s.sequence;
  const Tensor c_before = states_before(q, kept.c, in[kC]), gz = matrix_like(in[kH], q.total, 4 * s.units);
  const Tensor g_output = g[0].defined() ? g[0].contiguous() : Tensor(), gh = running_gradient(g[1], in[kH]), gc = running_gradient(g[2], in[kC]);
  const StepOperand recurrent(in[kHh], q);
  Tensor g_projected, g_units;
  if (s.projected) g_projected = matrix_like(gh, q.total, gh.size(1)), g_units = matrix_like(gh, q.batch, s.units);
  for (std::size_t k = q.steps.size(); k-- > 0;) {
    const Step t = q.steps[k], first{0, t.rows};
    const Tensor g_now = rows(gh, first), z = rows(gz, t);
    if (g_output.defined()) g_now.add_(rows(g_output, t));
    if (s.limited) g_now.mul_(le(abs(rows(kept.projection, t)), s.proj_clip));
    if (s.projected) copy_values(g_now, rows(g_projected, t)), multiply(g_now, in[kHr], rows(g_units, first), false);
    LstmStep step = s.step(in, t);
    step.gates = impl(rows(kept.gates, t)).data, step.c = impl(rows(c_before, t)).data;
    step.gh = impl(s.projected ? g_units : gh).data, step.gc = impl(gc).data, step.gz = impl(z).data;
    kernels(gz).lstm_step_gradient(gz.dtype(), step);
    recurrent.multiply(z, g_now, false);
  }
  List result(kInputs);
  result[kH] = gh, result[kC] = gc;
  if (sink.wants(kX)) result[kX] = wide_product(gz, in[kIh]).to(in[kX].dtype());
  if (sink.wants(kIh)) result[kIh] = wide_product(gz.t(), in[kX]).to(in[kIh].dtype());
  if (sink.wants(kHh)) result[kHh] = wide_product(gz.t(), states_before(q, kept.output, in[kH]).to(in[kHh].dtype())).to(in[kHh].dtype());
  if (sink.wants(kBiasIh) || sink.wants(kBiasHh)) result[kBiasIh] = result[kBiasHh] = sum(gz, {0});
  if (sink.wants(kHr)) result[kHr] = matmul(g_projected.t(), s.gate(kept.gates, 3) * tanh(kept.c));
  if (sink.wants(kPeepI)) result[kPeepI] = sum(s.gate(gz, 0) * c_before, {0});
  if (sink.wants(kPeepF)) result[kPeepF] = sum(s.gate(gz, 1) * c_before, {0});
  if (sink.wants(kPeepO)) result[kPeepO] = sum(s.gate(gz, 3) * kept.c, {0});
  return result;
}

List forward(const Spec& s, const List& in, Kept& kept, bool keep) {
  const NoGrad off;
  const Sequence& q = s.sequence;
  const Tensor gates = wide_linear(in[kX], in[kIh], s.bias(in));
  const StepOperand recurrent(in[kHh].t(), q);
  const Tensor output = matrix_like(in[kH], q.total, in[kH].size(1)), h = in[kH].detach().clone(MemoryFormat::contiguous), c = in[kC].detach().clone(MemoryFormat::contiguous);
  const Tensor units = s.projected ? matrix_like(h, q.batch, s.units) : h;
  if (keep) kept.gates = gates, kept.c = matrix_like(c, q.total, s.units);
  if (keep && s.limited) kept.projection = make_like(output);
  for (const Step& t : q.steps) {
    const Step first{0, t.rows};
    const Tensor z = rows(gates, t), h_now = rows(h, first);
    recurrent.multiply(h_now, z, true);
    LstmStep step = s.step(in, t);
    step.gates = impl(z).data, step.c = impl(c).data, step.h = impl(units).data;
    kernels(z).lstm_step(z.dtype(), step);
    if (s.projected) multiply(rows(units, first), in[kHr].t(), h_now, false);
    if (s.limited) {
      if (keep) copy_values(h_now, rows(kept.projection, t));
      clamp_(h_now, -s.proj_clip, s.proj_clip);
    }
    copy_values(h_now, rows(output, t));
    if (keep) copy_values(rows(c, first), rows(kept.c, t));
  }
  return {output, h, c};
}

/// What a library can run in one piece: no peepholes, no limits.
bool is_usual(const Spec& s, const List& in) { return !in[kPeepI].defined() && std::isinf(s.cell_clip) && !s.limited && (!s.projected || in[kHh].size(1) < s.units); }
RnnTensors tensors_of(const Spec& s, const List& in) { return {in[kX], in[kH], in[kC], in[kIh], in[kHh], in[kBiasIh], s.bias_hh(in), in[kHr]}; }

List whole_layer(const Spec& s, const WholeLayer& whole, const List& in) {
  const bool keep = recording_any(in, {});
  Tensor reserve;
  RnnResult r;
  {
    const NoGrad off;
    r = whole.forward(tensors_of(s, in), keep ? &reserve : nullptr);
  }
  List out{r.y, r.h, r.c};
  if (!keep) return out;
  std::vector<Saved> saved;
  for (const Tensor& t : in) saved.push_back(save(t));
  record_many(kLstm, in, out, [s, whole, saved, reserve, output = save(make_detached(out[0]))](std::span<Tensor> g, GradSink&) -> List {
    List in;
    for (const Saved& t : saved) in.push_back(t());
    if (recording_any(in, g)) return recorded_gradients([&s](const List& x) { return unrolled(s, x); }, in, g);
    const NoGrad off;
    const RnnTensors found = whole.gradient(tensors_of(s, in), output(), {g[0], g[1], g[2]}, reserve);
    List result(kInputs);
    result[kX] = found.x, result[kH] = found.h, result[kC] = found.c, result[kIh] = found.ih, result[kHh] = found.hh, result[kHr] = found.hr;
    result[kBiasIh] = found.bias_ih;
    if (in[kBiasHh].defined()) result[kBiasHh] = found.bias_hh;
    return result;
  });
  return out;
}

List layer(const Spec& s, const List& in) {
  const bool keep = recording_any(in, {});
  Kept kept;
  List out = forward(s, in, kept, keep);
  if (!keep) return out;
  std::vector<Saved> saved;
  for (const Tensor& t : in) saved.push_back(save(t));
  auto formula = [s, saved, gates = save(kept.gates), c = save(kept.c), output = save(make_detached(out[0])), projection = save(kept.projection)](std::span<Tensor> g, GradSink& sink) -> List {
    List in;
    for (const Saved& t : saved) in.push_back(t());
    if (recording_any(in, g)) return recorded_gradients([&s](const List& x) { return unrolled(s, x); }, in, g);
    return gradients(s, in, {gates(), c(), output(), projection()}, g, sink);
  };
  record_many(kLstm, in, out, std::move(formula));
  return out;
}

}  // namespace

LstmResult lstm_layer(const Tensor& x, const Tensor& h, const Tensor& c, const LstmWeights& w, const LstmOptions& o) {
  if (amp::on()) [[unlikely]]
    return amp::low([&o](const Tensor& x, const Tensor& h, const Tensor& c, const auto&... weights) { return lstm_layer(x, h, c, {weights...}, o); }, x, h, c, w.ih, w.hh, w.bias_ih,
                    w.bias_hh, w.hr, w.peephole_i, w.peephole_f, w.peephole_o);
  const OpRange here("lstm_layer", x, h, c);
  const Sequence q(kLstm, x, h.defined() ? h : c, {o.reverse, o.batch_sizes});
  const std::int64_t units = units_of(kLstm, x, w.ih, 4);
  const bool projected = w.hr.defined(), peepholes = w.peephole_i.defined() || w.peephole_f.defined() || w.peephole_o.defined();
  const std::int64_t state = projected && w.hr.dim() == 2 ? w.hr.size(0) : units;
  const Shape per_gate{4 * units}, per_unit{units};
  check_arguments(kLstm, x, {{"weight_ih", w.ih, w.ih.shape(), true}, {"weight_hh", w.hh, {4 * units, state}, true}, {"bias_ih", w.bias_ih, per_gate}, {"bias_hh", w.bias_hh, per_gate},
                           {"weight_hr", w.hr, {state, units}}, {"h", h, {q.batch, state}}, {"c", c, {q.batch, units}},
                           {"peephole_i", w.peephole_i, per_unit, peepholes}, {"peephole_f", w.peephole_f, per_unit, peepholes}, {"peephole_o", w.peephole_o, per_unit, peepholes}});
  check<ValueError>(o.cell_clip > 0 && o.proj_clip > 0, kLstm, "cell_clip is {} and proj_clip {}; both must be positive", o.cell_clip, o.proj_clip);
  check<ValueError>(projected || std::isinf(o.proj_clip), kLstm, "proj_clip is {} without a projection; pass weights.hr", o.proj_clip);

  using Blocks = std::array<std::int64_t, 4>;
  const Spec spec{q, units, o.gates == LstmGates::ifgo ? Blocks{0, 1, 2, 3} : Blocks{0, 2, 1, 3}, o.forget_bias, o.cell_clip, o.proj_clip, projected, !std::isinf(o.proj_clip)};
  const Dtype dtype = impl(x).dtype;
  const Options like{.dtype = dtype, .device = x.device()};
  List in{q.pack(x), h.defined() ? h : zeros({q.batch, state}, like), c.defined() ? c : zeros({q.batch, units}, like),
          w.ih, w.hh, w.bias_ih, w.bias_hh, w.hr, w.peephole_i, w.peephole_f, w.peephole_o};
  if (WholeLayer::available(x) && is_usual(spec, in))
    if (const WholeLayer whole(q, RnnCell::lstm, in[kX], units, state, spec.block); whole.fits()) {
      const List out = whole_layer(spec, whole, in);
      return {q.unpack(out[0]), out[1], out[2]};
    }
  const bool low = keeps_bfloat16(x);
  for (int k = 0; k < kInputs; ++k)
    if (Tensor& t = in[k]; t.defined() && !(low && (k == kX || k == kIh || k == kHh))) t = t.to(compute_dtype(dtype));
  for (const int p : {kPeepI, kPeepF, kPeepO})
    if (in[p].defined()) in[p] = in[p].contiguous();
  const List out = layer(spec, in);
  return {q.unpack(out[0]).to(dtype), out[1].to(dtype), out[2].to(dtype)};
}

}  // namespace rill

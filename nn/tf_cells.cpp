#include <rill/nn/tf_cells.h>

#include <cmath>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"
#include "nn/place.h"

namespace rill::nn::tf {
namespace {

Parameter started(const Shape& shape, const Options& options, const Initializer& initializer, const Initializer& otherwise) {
  Parameter p(empty(shape, options));
  const NoGrad off;
  (initializer ? initializer : otherwise)(p);
  return p;
}
void glorot(const Tensor& w) { init::glorot_uniform_(w, init::Layout::in_out); }
Initializer constant(double value) {
  return [value](const Tensor& w) { init::constant_(w, value); };
}
void check_sizes(const char* cell, std::int64_t in, std::int64_t units) { check_size(cell, "input_size", in), check_size(cell, "units", units); }

/// One step as a sequence of one.
template <class Sequence> CellResult first_of(const Tensor& x, Sequence sequence) {
  CellResult r = sequence(x.unsqueeze(0));
  return {r.output.squeeze(0), std::move(r.state)};
}

}  // namespace

BasicRNNCell::BasicRNNCell(std::int64_t in, std::int64_t units, const CellOptions& o) {
  check_sizes("BasicRNNCell", in, units);
  kernel = started({in + units, units}, o.tensor, o.kernel_initializer, glorot);
  bias = started({units}, o.tensor, o.bias_initializer, constant(0));
}
std::string BasicRNNCell::describe() const { return fmt::format("BasicRNNCell({}, {})", input_size(), output_size()); }
CellResult BasicRNNCell::step(const Tensor& x, const CellState& state, CellRun& run) const {
  return first_of(x, [&](const Tensor& x) { return sequence(x, state, {}, run); });
}
CellResult BasicRNNCell::sequence(const Tensor& x, const CellState& state, const SequenceOptions& o, CellRun&) const {
  const std::int64_t in = input_size();
  auto [output, h] = rnn_layer(x, state[0], {narrow(kernel, 0, 0, in).t(), narrow(kernel, 0, in, output_size()).t(), bias}, RnnNonlinearity::tanh, o);
  return {std::move(output), {std::move(h)}};
}

LSTMCell::LSTMCell(const char* name, std::int64_t in, std::int64_t units, const LSTMCellOptions& o) : forget_bias(o.forget_bias), cell_clip(o.cell_clip), proj_clip(o.proj_clip) {
  check_sizes(name, in, units);
  check<ValueError>(o.num_proj >= 0, name, "num_proj is {}; it must be 0 (none) or the size of the projection", o.num_proj);
  check_positive(name, "cell_clip", cell_clip), check_positive(name, "proj_clip", proj_clip);
  check<ValueError>(o.num_proj > 0 || std::isinf(proj_clip), name, "proj_clip is {} without a projection; set num_proj", proj_clip);
  const auto weight = [&](const Shape& shape) { return started(shape, o.tensor, o.initializer, glorot); };
  kernel = weight({in + (o.num_proj ? o.num_proj : units), 4 * units});
  bias = started({4 * units}, o.tensor, {}, constant(0));
  if (o.use_peepholes) w_f_diag = weight({units}), w_i_diag = weight({units}), w_o_diag = weight({units});
  if (o.num_proj) projection = weight({units, o.num_proj});
}
void LSTMCell::parts(Parts& p) {
  p("kernel", kernel)("bias", bias)("w_f_diag", w_f_diag)("w_i_diag", w_i_diag)("w_o_diag", w_o_diag)("projection.kernel", projection);
}
std::string LSTMCell::describe() const {
  std::string s = fmt::format("{}({}, {}", class_name(*this), input_size(), units());
  if (w_f_diag.defined()) s += ", use_peepholes=True";
  if (projection.defined()) s += fmt::format(", num_proj={}", output_size());
  return s + ")";
}
CellResult LSTMCell::step(const Tensor& x, const CellState& state, CellRun& run) const {
  return first_of(x, [&](const Tensor& x) { return sequence(x, state, {}, run); });
}
CellResult LSTMCell::sequence(const Tensor& x, const CellState& state, const SequenceOptions& o, CellRun&) const {
  const std::int64_t in = input_size();
  const LstmWeights w{.ih = narrow(kernel, 0, 0, in).t(), .hh = narrow(kernel, 0, in, output_size()).t(), .bias_ih = bias,
                      .hr = projection.defined() ? projection.t() : Tensor(), .peephole_i = w_i_diag, .peephole_f = w_f_diag, .peephole_o = w_o_diag};
  auto [output, h, c] = lstm_layer(x, state[1], state[0], w, {.reverse = o.reverse, .batch_sizes = o.batch_sizes, .gates = LstmGates::igfo, .forget_bias = forget_bias,
                                                              .cell_clip = cell_clip, .proj_clip = proj_clip});
  return {std::move(output), {std::move(c), std::move(h)}};
}

GRUCell::GRUCell(std::int64_t in, std::int64_t units, const CellOptions& o) {
  check_sizes("GRUCell", in, units);
  gates_kernel = started({in + units, 2 * units}, o.tensor, o.kernel_initializer, glorot);
  gates_bias = started({2 * units}, o.tensor, o.bias_initializer, constant(1));
  candidate_kernel = started({in + units, units}, o.tensor, o.kernel_initializer, glorot);
  candidate_bias = started({units}, o.tensor, o.bias_initializer, constant(0));
}
void GRUCell::parts(Parts& p) {
  p("gates.kernel", gates_kernel)("gates.bias", gates_bias)("candidate.kernel", candidate_kernel)("candidate.bias", candidate_bias);
}
std::string GRUCell::describe() const { return fmt::format("GRUCell({}, {})", input_size(), output_size()); }
CellResult GRUCell::step(const Tensor& x, const CellState& state, CellRun&) const {
  const Tensor& h = state[0];
  const auto gates = chunk(sigmoid(linear(cat({x, h}, 1), gates_kernel.t(), gates_bias)), 2, 1);
  const Tensor candidate = tanh(linear(cat({x, gates[0] * h}, 1), candidate_kernel.t(), candidate_bias));
  Tensor next = candidate + gates[1] * (h - candidate);
  return {next, {next}};
}

LstmWeights import_tf_lstm(const Tensor& kernel, const Tensor& bias, double forget_bias) {
  constexpr const char* op = "import_tf_lstm";
  check_defined(op, kernel, "the kernel"), check_defined(op, bias, "the bias");
  check<ShapeError>(kernel.dim() == 2 && kernel.size(1) % 4 == 0 && kernel.size(0) > kernel.size(1) / 4, op, "the kernel is {}; expected [in + units, 4 units]", describe(kernel));
  check<ShapeError>(bias.shape() == Shape{kernel.size(1)}, op, "the bias is {}, expected [{}] beside the kernel {}", describe(bias), kernel.size(1), describe(kernel));
  const std::int64_t units = kernel.size(1) / 4, in = kernel.size(0) - units;
  const NoGrad off;
  const auto reorder = [](const Tensor& rows) {
    const auto gates = chunk(rows, 4, 0);
    return cat({gates[0], gates[2], gates[1], gates[3]});
  };
  const Tensor rows = reorder(kernel.t()), b = reorder(bias);
  narrow(b, 0, units, units).add_(forget_bias);
  return {.ih = narrow(rows, 1, 0, in).clone(MemoryFormat::contiguous), .hh = narrow(rows, 1, in, units).clone(MemoryFormat::contiguous), .bias_ih = b, .bias_hh = zeros_like(b)};
}

NamedTensors variables(const Cell& cell, const std::string& scope) { return cell.variables(scope); }

void load(Cell& cell, const NamedTensors& found, const std::string& scope) {
  NamedTensors expected = variables(cell, scope);
  NamedTensors renamed = found;
  for (auto& [name, value] : renamed)
    for (const auto& [old, now] : {std::pair<std::string, std::string>{"/weights", "/kernel"}, {"/biases", "/bias"}})
      if (name.ends_with(old) && !find(found, name.substr(0, name.size() - old.size()) + now).defined()) name.replace(name.size() - old.size(), old.size(), now);
  const std::vector<Tensor> values = match("load", expected, renamed, {.allow_unexpected = true});
  const NoGrad off;
  for (std::size_t i = 0; i < values.size(); ++i) expected[i].second.copy_(values[i]);
}

}  // namespace rill::nn::tf

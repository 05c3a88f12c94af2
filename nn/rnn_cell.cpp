#include <rill/nn/rnn_cell.h>

#include <cmath>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"

namespace rill::nn {
namespace detail {

TorchCell::TorchCell(const char* layer, std::int64_t gates, std::int64_t in, std::int64_t hidden, bool bias, const Options& options) : layer_(layer) {
  check_size(layer, "input_size", in), check_size(layer, "hidden_size", hidden);
  weight_ih = Parameter(empty({gates * hidden, in}, options)), weight_hh = Parameter(empty({gates * hidden, hidden}, options));
  if (bias) bias_ih = Parameter(empty({gates * hidden}, options)), bias_hh = Parameter(empty({gates * hidden}, options));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  for (const Tensor& p : parameters()) init::uniform_(p, -bound, bound);
}
std::string TorchCell::describe() const { return fmt::format("{}({}, {}{})", layer_, input_size(), output_size(), bias_ih.defined() ? "" : ", bias=False"); }
std::int64_t TorchCell::flops(const Tensor& x, const Tensor&) const { return 2 * (x.numel() / input_size()) * (weight_ih.numel() + weight_hh.numel()); }

CellState TorchCell::run(const Tensor& input, const CellState& given) const {
  CellResult result = call(input, [&](const Tensor& x) -> CellResult {
    check_defined(layer_, x);
    const bool batched = x.dim() == 2;
    check<ShapeError>(batched || x.dim() == 1, layer_, "x {} has rank {}; expected [N, features] or [features]", rill::describe(x), x.dim());
    check<ShapeError>(x.size(-1) == input_size(), layer_, "x {} has {} features, the cell takes {}", rill::describe(x), x.size(-1), input_size());
    const std::int64_t rows = batched ? x.size(0) : 1;
    CellState state = zero_state(rows, {.dtype = x.dtype(), .device = x.device()});
    for (std::size_t k = 0; k < state.size(); ++k) {
      if (!given[k].defined()) continue;
      const Shape expected = batched ? Shape{rows, output_size()} : Shape{output_size()};
      check<ShapeError>(given[k].shape() == expected, layer_, "{} has shape {}, expected {} for x {}", k ? "c" : "h", given[k].shape(), expected, rill::describe(x));
      state[k] = batched ? given[k] : given[k].unsqueeze(0);
    }
    CellRun once;
    CellResult r = step(batched ? x : x.unsqueeze(0), state, once);
    if (!batched)
      for (Tensor& s : r.state) s = s.squeeze(0);
    return {r.state[0], std::move(r.state)};
  });
  result.state[0] = std::move(result.output);  // as hooks left it
  return std::move(result.state);
}

CellResult TorchCell::step(const Tensor& x, const CellState& state, CellRun& run) const {
  CellResult r = sequence(x.unsqueeze(0), state, {}, run);
  return {r.state[0], std::move(r.state)};
}

}  // namespace detail

std::string RNNCell::describe() const {
  std::string s = TorchCell::describe();
  if (nonlinearity == RnnNonlinearity::relu) s.insert(s.size() - 1, ", nonlinearity=relu");
  return s;
}

CellResult RNNCell::sequence(const Tensor& x, const CellState& s, const SequenceOptions& o, CellRun&) const {
  auto [output, h] = rnn_layer(x, s[0], {weight_ih, weight_hh, bias_ih, bias_hh}, nonlinearity, o);
  return {std::move(output), {std::move(h)}};
}
CellResult GRUCell::sequence(const Tensor& x, const CellState& s, const SequenceOptions& o, CellRun&) const {
  auto [output, h] = gru_layer(x, s[0], {weight_ih, weight_hh, bias_ih, bias_hh}, o);
  return {std::move(output), {std::move(h)}};
}
CellResult LSTMCell::sequence(const Tensor& x, const CellState& s, const SequenceOptions& o, CellRun&) const {
  auto [output, h, c] = lstm_layer(x, s[0], s[1], {weight_ih, weight_hh, bias_ih, bias_hh}, {.reverse = o.reverse, .batch_sizes = o.batch_sizes});
  return {std::move(output), {std::move(h), std::move(c)}};
}
LSTMState LSTMCell::operator()(const Tensor& x, const LSTMState& state) const {
  CellState s = run(x, {state.h, state.c});
  return {std::move(s[0]), std::move(s[1])};
}

}  // namespace rill::nn

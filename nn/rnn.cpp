#include <rill/nn/rnn.h>

#include <cmath>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/dropout.h>
#include <rill/ops/index.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"
#include "nn/packing.h"
#include "nn/repr.h"

namespace rill::nn {
namespace detail {
namespace {

using Int = std::int64_t;

Int output_size(const Recurrent& m) { return m.settings.proj_size ? m.settings.proj_size : m.hidden_size; }
Int directions(const Recurrent& m) { return m.settings.bidirectional ? 2 : 1; }

}  // namespace

Recurrent::Recurrent(const char* layer, Int gates, Int input_size, Int hidden_size, const RecurrentSettings& s)
    : input_size(input_size), hidden_size(hidden_size), settings(s), layer_(layer) {
  check_size(layer, "input_size", input_size), check_size(layer, "hidden_size", hidden_size), check_size(layer, "num_layers", s.num_layers);
  check_probability(layer, s.dropout);
  check<ValueError>(s.proj_size >= 0 && s.proj_size < hidden_size, layer, "proj_size is {}; it must be 0 (none) or below hidden_size, {}", s.proj_size, hidden_size);
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  const auto drawn = [&](const Shape& shape) {
    Parameter p(empty(shape, s.tensor));
    init::uniform_(p, -bound, bound);
    return p;
  };
  const Int width = gates * hidden_size, out = output_size(*this);
  for (Int k = 0; k < s.num_layers * directions(*this); ++k) {
    Weights& w = weights.emplace_back();
    w.ih = drawn({width, k < directions(*this) ? input_size : directions(*this) * out});
    w.hh = drawn({width, out});
    if (s.bias) w.bias_ih = drawn({width}), w.bias_hh = drawn({width});
    if (s.proj_size) w.hr = drawn({out, hidden_size});
  }
}

void Recurrent::parts(Parts& p) {
  p.mode(training);
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const auto each = static_cast<std::size_t>(directions(*this));
    const std::string end = "_l" + std::to_string(k / each) + (k % each ? "_reverse" : "");
    Weights& w = weights[k];
    p("weight_ih" + end, w.ih)("weight_hh" + end, w.hh)("bias_ih" + end, w.bias_ih)("bias_hh" + end, w.bias_hh)("weight_hr" + end, w.hr);
  }
}

std::string Recurrent::describe() const {
  std::string s = fmt::format("{}({}, {}", layer_, input_size, hidden_size);
  if (settings.proj_size) s += fmt::format(", proj_size={}", settings.proj_size);
  if (settings.num_layers != 1) s += fmt::format(", num_layers={}", settings.num_layers);
  if (!settings.bias) s += ", bias=False";
  if (settings.batch_first) s += ", batch_first=True";
  if (settings.dropout != 0) s += ", dropout=" + repr::number(settings.dropout);
  if (settings.bidirectional) s += ", bidirectional=True";
  return s + ")";
}

Int Recurrent::flops(const Tensor& x, const Tensor&) const {
  Int per_row = 0;
  for (const Weights& w : weights)
    for (const Parameter* p : {&w.ih, &w.hh, &w.hr})
      if (p->defined()) per_row += 2 * p->numel();
  return x.numel() / input_size * per_row;
}

/// The initial states for `rows` rows, [layers * directions, rows, features] each.
Recurrent::States Recurrent::checked_states(const Tensor& x, const States& given, Int rows, bool batched) const {
  States states;
  for (std::size_t k = 0; k < given.size(); ++k) {
    const Shape full{static_cast<Int>(weights.size()), rows, k ? hidden_size : output_size(*this)};
    if (!given[k].defined()) {
      states.push_back(zeros(full, {.dtype = x.dtype(), .device = x.device()}));
      continue;
    }
    Shape expected = full;
    if (!batched) expected.erase(1);
    check<ShapeError>(given[k].shape() == expected, layer_, "the initial {} has shape {}, expected {}: layers * directions{}, features", k ? "c" : "h", given[k].shape(), expected, batched ? ", rows" : "");
    states.push_back(batched ? given[k] : given[k].unsqueeze(1));
  }
  return states;
}

std::pair<Tensor, Recurrent::States> Recurrent::stack_of_layers(Tensor x, const States& initial, const std::vector<Int>& batch_sizes) const {
  std::vector<States> finals(initial.size());
  for (Int layer = 0; layer < settings.num_layers; ++layer) {
    if (layer) x = dropout(x, settings.dropout, training);
    std::vector<Tensor> outputs;
    for (Int d = 0; d < directions(*this); ++d) {
      const Int k = layer * directions(*this) + d;
      States own;
      for (const Tensor& s : initial) own.push_back(s.select(0, k));
      auto [output, last] = one(weights[static_cast<std::size_t>(k)], x, own, {.reverse = d == 1, .batch_sizes = batch_sizes});
      outputs.push_back(std::move(output));
      for (std::size_t s = 0; s < last.size(); ++s) finals[s].push_back(std::move(last[s]));
    }
    x = outputs.size() == 1 ? outputs[0] : cat(outputs, -1);
  }
  States states;
  for (const States& s : finals) states.push_back(stack(s));
  return {std::move(x), std::move(states)};
}

SequenceResult<Recurrent::States> Recurrent::run(const Tensor& input, const States& initial, const std::vector<Int>& lengths) const {
  return call(input, [&](const Tensor& input) -> SequenceResult<States> {
    check_defined(layer_, input);
    const bool batched = input.dim() == 3;
    check<ShapeError>(batched || input.dim() == 2, layer_, "x {} has rank {}; expected {}, or [T, features] without a batch", rill::describe(input), input.dim(),
                      settings.batch_first ? "[N, T, features]" : "[T, N, features]");
    check<ShapeError>(input.size(-1) == input_size, layer_, "x {} has {} features, input_size is {}", rill::describe(input), input.size(-1), input_size);
    check<ShapeError>(batched || lengths.empty(), layer_, "x {} has no batch; lengths are for the rows of one", rill::describe(input));
    const bool swapped = batched && settings.batch_first;
    const Tensor x = !batched ? input.unsqueeze(1) : swapped ? transpose(input, 0, 1) : input;
    const States from = checked_states(x, initial, x.size(1), batched);
    if (!lengths.empty()) {
      auto [packed, states] = run(pack(layer_, x, lengths, 0, input), from);
      const Tensor output = unpack(packed, x.size(0), x.size(1));
      return {swapped ? transpose(output, 0, 1) : output, std::move(states)};
    }
    auto [output, states] = stack_of_layers(x, from, {});
    if (!batched)
      for (Tensor& s : states) s = s.squeeze(1);
    return {!batched ? output.squeeze(1) : swapped ? transpose(output, 0, 1) : output, std::move(states)};
  });
}

PackedResult<Recurrent::States> Recurrent::run(const PackedSequence& x, const States& initial) const {
  const auto reorder = [](const States& states, const Tensor& order) {
    States result;
    for (const Tensor& s : states) result.push_back(order.defined() ? index_select(s, 1, order) : s);
    return result;
  };
  auto [output, states] = stack_of_layers(x.data, reorder(initial, x.sorted_indices), x.batch_sizes);
  return {{std::move(output), x.batch_sizes, x.sorted_indices, x.unsorted_indices}, reorder(states, x.unsorted_indices)};
}

PackedResult<Recurrent::States> Recurrent::run_packed(const PackedSequence& x, const States& initial) const {
  PackedSequence packed = x;
  auto result = call(x.data, [&](const Tensor& data) -> SequenceResult<States> {
    check_defined(layer_, data, "the data of the packed sequence");
    check<ShapeError>(data.dim() == 2 && data.size(1) == input_size, layer_, "the data of the packed sequence is {}, expected [rows, {}]", rill::describe(data), input_size);
    check<ValueError>(!x.batch_sizes.empty(), layer_, "the packed sequence has no batch_sizes; make it with pack_padded_sequence()");
    packed.data = data;
    auto [output, states] = run(packed, checked_states(data, initial, x.batch_sizes[0], true));
    packed = std::move(output);
    return {packed.data, std::move(states)};
  });
  packed.data = std::move(result.output);
  return {std::move(packed), std::move(result.state)};
}

SequenceResult<Tensor> SingleStateRecurrent::operator()(const Tensor& x, const SequenceCall<Tensor>& o) const {
  auto [output, states] = run(x, {o.initial}, o.lengths);
  return {std::move(output), std::move(states[0])};
}
PackedResult<Tensor> SingleStateRecurrent::operator()(const PackedSequence& x, const SequenceCall<Tensor>& o) const {
  auto [output, states] = run_packed(x, {o.initial});
  return {std::move(output), std::move(states[0])};
}

}  // namespace detail

namespace {

detail::RecurrentSettings settings_of(const auto& o, std::int64_t proj_size = 0) { return {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, proj_size, o.tensor}; }

}  // namespace

RNN::RNN(std::int64_t in, std::int64_t hidden, const RNNOptions& o) : SingleStateRecurrent("RNN", 1, in, hidden, settings_of(o)), nonlinearity(o.nonlinearity) {}
GRU::GRU(std::int64_t in, std::int64_t hidden, const GRUOptions& o) : SingleStateRecurrent("GRU", 3, in, hidden, settings_of(o)) {}
LSTM::LSTM(std::int64_t in, std::int64_t hidden, const LSTMOptions& o) : Recurrent("LSTM", 4, in, hidden, settings_of(o, o.proj_size)) {}

std::pair<Tensor, detail::Recurrent::States> RNN::one(const Weights& w, const Tensor& x, const States& s, const SequenceOptions& o) const {
  auto [output, h] = rnn_layer(x, s[0], {w.ih, w.hh, w.bias_ih, w.bias_hh}, nonlinearity, o);
  return {std::move(output), {std::move(h)}};
}
std::pair<Tensor, detail::Recurrent::States> GRU::one(const Weights& w, const Tensor& x, const States& s, const SequenceOptions& o) const {
  auto [output, h] = gru_layer(x, s[0], {w.ih, w.hh, w.bias_ih, w.bias_hh}, o);
  return {std::move(output), {std::move(h)}};
}
std::pair<Tensor, detail::Recurrent::States> LSTM::one(const Weights& w, const Tensor& x, const States& s, const SequenceOptions& o) const {
  auto [output, h, c] = lstm_layer(x, s[0], s[1], {w.ih, w.hh, w.bias_ih, w.bias_hh, w.hr}, {.reverse = o.reverse, .batch_sizes = o.batch_sizes});
  return {std::move(output), {std::move(h), std::move(c)}};
}

SequenceResult<LSTMState> LSTM::operator()(const Tensor& x, const SequenceCall<LSTMState>& o) const {
  auto [output, states] = run(x, {o.initial.h, o.initial.c}, o.lengths);
  return {std::move(output), {std::move(states[0]), std::move(states[1])}};
}
PackedResult<LSTMState> LSTM::operator()(const PackedSequence& x, const SequenceCall<LSTMState>& o) const {
  auto [output, states] = run_packed(x, {o.initial.h, o.initial.c});
  return {std::move(output), {std::move(states[0]), std::move(states[1])}};
}

}  // namespace rill::nn

// RNN, GRU, LSTM and their cells.
#include <rill/nn/rnn.h>

#include <rill/core/random.h>
#include <rill/nn/print.h>
#include <rill/nn/rnn_cell.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"
#include "test/support/put_parameters.h"

using namespace rill;

namespace {

struct Case {  // how test/oracle/rnn_goldens.py writes modules
  std::int64_t in, hidden, layers, proj;
  bool relu, bias, batch_first, both;
  Dims lengths;
  bool packed;
  std::vector<std::string> names;
  Case(const Golden& g, std::size_t k)
      : in(g.integer(k)), hidden(g.integer(k + 1)), layers(g.integer(k + 2)), proj(g.integer(k + 7)), relu(g.integer(k + 3) == 1), bias(g.integer(k + 4) == 1),
        batch_first(g.integer(k + 5) == 1), both(g.integer(k + 6) == 1) {
    if (k) return;
    lengths = g.list(8), packed = g.arguments.at(9) == "packed", names = text::split(g.arguments.at(10), ',');
  }
  RnnNonlinearity nonlinearity() const { return relu ? RnnNonlinearity::relu : RnnNonlinearity::tanh; }
};
const Options kDouble{.dtype = float64};

template <class M> M make(const Case& c);
template <> nn::RNN make(const Case& c) { return {c.in, c.hidden, {c.layers, c.nonlinearity(), c.bias, c.batch_first, 0, c.both, kDouble}}; }
template <> nn::GRU make(const Case& c) { return {c.in, c.hidden, {c.layers, c.bias, c.batch_first, 0, c.both, kDouble}}; }
template <> nn::LSTM make(const Case& c) { return {c.in, c.hidden, {c.layers, c.bias, c.batch_first, 0, c.both, c.proj, kDouble}}; }
template <> nn::RNNCell make(const Case& c) { return {c.in, c.hidden, {c.bias, c.nonlinearity(), kDouble}}; }
template <> nn::GRUCell make(const Case& c) { return {c.in, c.hidden, {c.bias, kDouble}}; }
template <> nn::LSTMCell make(const Case& c) { return {c.in, c.hidden, {c.bias, kDouble}}; }

List states(const Tensor& h) { return {h}; }
List states(const nn::LSTMState& s) { return {s.h, s.c}; }

template <class M, class State> List run_layer(const Golden& g, const List& x, State initial) {
  const Case c(g, 0);
  M m = make<M>(c);
  put_parameters(m, c.names, std::span(x).subspan(3));
  nn::SequenceResult<State> r;
  if (c.packed) {
    auto [packed, state] = m(nn::pack_padded_sequence(x[0], c.lengths.vec(), {.batch_first = c.batch_first, .enforce_sorted = false}), {.initial = initial});
    r = {nn::pad_packed_sequence(packed, {.batch_first = c.batch_first, .total_length = x[0].size(c.batch_first)}).output, state};
  } else {
    r = m(x[0], {.initial = initial, .lengths = c.lengths.vec()});
  }
  List result{r.output};
  for (const Tensor& s : states(r.state)) result.push_back(s);
  return result;
}
template <class M, class State> List run_cell(const Golden& g, const List& x, State initial) {
  const Case c(g, 0);
  M m = make<M>(c);
  put_parameters(m, c.names, std::span(x).subspan(3));
  return states(m(x[0], initial));
}

List start(const Golden& g, const List&) {
  const GeneratorScope scope(Generator::torch_compatible(static_cast<std::uint64_t>(g.integer(1))));
  const std::string& kind = g.arguments.at(0);
  const Case c(g, 2);
  if (kind == "RNN") return make<nn::RNN>(c).parameters();
  if (kind == "GRU") return make<nn::GRU>(c).parameters();
  if (kind == "LSTM") return make<nn::LSTM>(c).parameters();
  if (kind == "RNNCell") return make<nn::RNNCell>(c).parameters();
  if (kind == "GRUCell") return make<nn::GRUCell>(c).parameters();
  return make<nn::LSTMCell>(c).parameters();
}

const std::map<std::string, RunGolden> kModules = {
    {"RNN", [](auto& g, auto& x) { return run_layer<nn::RNN>(g, x, optional(x[1])); }},
    {"GRU", [](auto& g, auto& x) { return run_layer<nn::GRU>(g, x, optional(x[1])); }},
    {"LSTM", [](auto& g, auto& x) { return run_layer<nn::LSTM>(g, x, nn::LSTMState{optional(x[1]), optional(x[2])}); }},
    {"RNNCell", [](auto& g, auto& x) { return run_cell<nn::RNNCell>(g, x, optional(x[1])); }},
    {"GRUCell", [](auto& g, auto& x) { return run_cell<nn::GRUCell>(g, x, optional(x[1])); }},
    {"LSTMCell", [](auto& g, auto& x) { return run_cell<nn::LSTMCell>(g, x, nn::LSTMState{optional(x[1]), optional(x[2])}); }},
    {"start", start},
};

}  // namespace

TEST_CASE("recurrent modules agree with PyTorch: names, start, values, gradients", "[nn][rnn]") {
  check_goldens(RILL_SOURCE_DIR "/test/nn/rnn_goldens.txt", kModules);
}

TEST_CASE("results of recurrent layers read as output and state", "[nn][rnn]") {
  const nn::LSTM lstm(10, 20, {.num_layers = 2, .batch_first = true});
  const Tensor x = ones({3, 5, 10});
  auto [output, state] = lstm(x);
  CHECK(output.shape() == Shape{3, 5, 20});
  CHECK(state.h.shape() == Shape{2, 3, 20});
  auto [next, last] = lstm(x, {.initial = state, .lengths = {5, 0, 2}});
  CHECK(equal(next(1), zeros({5, 20})));
  CHECK(equal(next(2, Slice(2, {})), zeros({3, 20})));
  CHECK(equal(last.h.select(1, 1), state.h.select(1, 1)));  // no step: the state it came with
  CHECK(allclose(last.h(1, 2), next(2, 1)));
  auto [none, same] = lstm(x, {.initial = state, .lengths = {0, 0, 0}});
  CHECK((equal(none, zeros({3, 5, 20})) && equal(same.c, state.c)));
}

TEST_CASE("dropout acts between recurrent layers in training only", "[nn][rnn]") {
  manual_seed(1);
  nn::GRU gru(4, 8, {.num_layers = 2, .dropout = 0.5});
  const Tensor x = ones({6, 2, 4});
  CHECK_FALSE(equal(gru(x).output, gru(x).output));
  gru.eval();
  const auto [a, h] = gru(x);
  CHECK(equal(a, gru(x).output));
  gru.train();
  nn::GRU one(4, 8, {.dropout = 0.5});
  CHECK(equal(one(x).output, one(x).output));  // not after the last layer
  nn::GRU all(4, 8, {.num_layers = 2, .bias = false, .dropout = 1});
  CHECK(equal(all(x).output, zeros({6, 2, 8})));  // layer 1 sees zeros
}

TEST_CASE("recurrent modules print as in PyTorch, are complete and count their work", "[nn][rnn]") {
  CHECK(to_string(nn::RNN(3, 4, {.nonlinearity = RnnNonlinearity::relu})) == "RNN(3, 4)");
  const nn::LSTM lstm(3, 4, {.num_layers = 2, .bias = false, .batch_first = true, .dropout = 0.5, .bidirectional = true, .proj_size = 2});
  CHECK(to_string(lstm) == "LSTM(3, 4, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)");
  CHECK(to_string(nn::RNNCell(2, 3, {.bias = false, .nonlinearity = RnnNonlinearity::relu})) == "RNNCell(2, 3, bias=False, nonlinearity=relu)");
  CHECK(to_string(nn::LSTMCell(2, 3, {.bias = false})) == "LSTMCell(2, 3, bias=False)");
  CHECK(to_string(nn::GRUCell(2, 3)) == "GRUCell(2, 3)");
  nn::check_parts(lstm), nn::check_parts(nn::GRUCell(2, 3)), nn::check_parts(nn::RNN(2, 3));
  const nn::GRU gru(3, 4);
  CHECK(gru.flops(ones({5, 2, 3}), {}) == 10 * 2 * (12 * 3 + 12 * 4));
  CHECK(nn::GRUCell(3, 4).flops(ones({2, 3}), {}) == 2 * 2 * (12 * 3 + 12 * 4));
  const nn::LSTM copy = lstm;
  CHECK_FALSE(copy.weights[0].ih.shares_storage(lstm.weights[0].ih));
}

TEST_CASE("hooks of recurrent layers see input and output", "[nn][rnn]") {
  nn::LSTM lstm(2, 3);
  lstm.register_forward_hook([](const nn::Module&, const Tensor&, const Tensor& y) { return y * 2; });
  nn::LSTMCell cell(2, 3);
  cell.register_forward_hook([](const nn::Module&, const Tensor&, const Tensor& h) { return h + 1; });
  const Tensor x = ones({2, 1, 2});
  const auto [y, state] = lstm(x);
  CHECK(allclose(y(1), state.h(0) * 2));
  const auto packed = lstm(nn::pack_padded_sequence(x, {2})).output.data;
  CHECK(allclose(packed, y.squeeze(1)));
  CHECK(all(cell(ones({1, 2})).h > 0).item<bool>());  // |h| < 1
}

TEST_CASE("recurrent modules say what is wrong", "[nn][rnn]") {
  CHECK(MESSAGE(ValueError, nn::LSTM(0, 3)) == "LSTM: input_size is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::GRU(2, 0)) == "GRU: hidden_size is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::RNN(2, 3, {.num_layers = 0})) == "RNN: num_layers is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, nn::RNN(2, 3, {.dropout = 1.5})) == "RNN: the probability 1.5 is outside [0, 1]");
  CHECK(MESSAGE(ValueError, nn::LSTM(2, 3, {.proj_size = 3})) == "LSTM: proj_size is 3; it must be 0 (none) or below hidden_size, 3");
  const nn::LSTM lstm(2, 3, {.num_layers = 2}), first(2, 3, {.batch_first = true});
  const Tensor x = zeros({4, 5, 2});
  CHECK(MESSAGE(ValueError, lstm(Tensor())) == "LSTM: input is undefined; pass a tensor with values (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(zeros({2}))) == "LSTM: x float32 [2] has rank 1; expected [T, N, features], or [T, features] without a batch (in LSTM)");
  CHECK(MESSAGE(ShapeError, first(zeros({2}))) == "LSTM: x float32 [2] has rank 1; expected [N, T, features], or [T, features] without a batch (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(zeros({4, 5, 3}))) == "LSTM: x float32 [4, 5, 3] has 3 features, input_size is 2 (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(zeros({4, 2}), {.lengths = {1}})) == "LSTM: x float32 [4, 2] has no batch; lengths are for the rows of one (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(x, {.initial = {.h = zeros({2, 4, 3})}})) == "LSTM: the initial h has shape [2, 4, 3], expected [2, 5, 3]: layers * directions, rows, features (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(x.select(1, 0), {.initial = {.c = zeros({2, 1, 3})}})) == "LSTM: the initial c has shape [2, 1, 3], expected [2, 3]: layers * directions, features (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(x, {.lengths = {1, 2}})) == "LSTM: 2 lengths are given for the 5 rows of x float32 [4, 5, 2] (in LSTM)");
  CHECK(MESSAGE(ValueError, lstm(x, {.lengths = {1, 2, 5, 1, 1}})) == "LSTM: lengths[2] is 5; it must be between 0 and 4, the steps of x float32 [4, 5, 2] (in LSTM)");
  CHECK(MESSAGE(ValueError, lstm(x, {.lengths = {1, 2, -1, 1, 1}})) == "LSTM: lengths[2] is -1; it must be between 0 and 4, the steps of x float32 [4, 5, 2] (in LSTM)");
  CHECK(MESSAGE(DtypeError, lstm(x.to(float64))) == "lstm_layer: weight_ih is float32, x is float64; convert one with .to() (in LSTM)");
  CHECK(MESSAGE(ShapeError, lstm(nn::PackedSequence{zeros({3, 3}), {2, 1}, {}, {}})) == "LSTM: the data of the packed sequence is float32 [3, 3], expected [rows, 2] (in LSTM)");
  CHECK(MESSAGE(ValueError, lstm(nn::PackedSequence{zeros({3, 2}), {}, {}, {}})) == "LSTM: the packed sequence has no batch_sizes; make it with pack_padded_sequence() (in LSTM)");
  const nn::LSTMCell cell(2, 3);
  CHECK(MESSAGE(ShapeError, cell(zeros({1, 1, 2}))) == "LSTMCell: x float32 [1, 1, 2] has rank 3; expected [N, features] or [features] (in LSTMCell)");
  CHECK(MESSAGE(ShapeError, cell(zeros({1, 3}))) == "LSTMCell: x float32 [1, 3] has 3 features, the cell takes 2 (in LSTMCell)");
  CHECK(MESSAGE(ShapeError, cell(zeros({1, 2}), {.h = zeros({1, 2})})) == "LSTMCell: h has shape [1, 2], expected [1, 3] for x float32 [1, 2] (in LSTMCell)");
  CHECK(MESSAGE(ShapeError, cell(zeros({2}), {.c = zeros({1, 3})})) == "LSTMCell: c has shape [1, 3], expected [3] for x float32 [2] (in LSTMCell)");
  CHECK(MESSAGE(ValueError, nn::GRUCell(0, 3)) == "GRUCell: input_size is 0; it must be at least 1");
}

// TensorFlow's cells against TensorFlow (test/oracle/tf_rnn_goldens.py) and against the vectors of their formulas.
#include <rill/nn/tf_cells.h>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/cell_wrappers.h>
#include <rill/nn/dynamic_rnn.h>
#include <rill/nn/rnn.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"
#include "test/support/put_parameters.h"

using namespace rill;
namespace tf = nn::tf;

namespace {

const Options kDouble{.dtype = float64};

nn::AnyCell make(const Golden& g, const std::string& kind) {
  const std::int64_t in = g.integer(0), units = g.integer(1);
  const auto limit = [&](std::size_t k) { return g.number(k) > 0 ? g.number(k) : std::numeric_limits<double>::infinity(); };
  if (kind == "basic_rnn") return tf::BasicRNNCell(in, units, {.tensor = kDouble});
  if (kind == "gru") return tf::GRUCell(in, units, {.tensor = kDouble});
  if (kind == "lstm") return tf::LSTMCell(in, units, {.use_peepholes = true, .cell_clip = limit(3), .num_proj = g.integer(4), .proj_clip = limit(5), .forget_bias = g.number(2), .tensor = kDouble});
  if (kind == "multi") return nn::MultiRNNCell({tf::BasicLSTMCell(in, units, {.tensor = kDouble}), tf::GRUCell(units, 2, {.tensor = kDouble})});
  return tf::BasicLSTMCell(in, units, {.forget_bias = g.number(2), .tensor = kDouble});
}

/// Puts the variables in, and compares their names.
void put(nn::Cell& cell, const std::string& scope, const Golden& g, std::span<const Tensor> values, std::size_t first) {
  std::vector<std::string> keys;
  const auto names = text::split(g.arguments.at(7), ',');
  const auto own = tf::variables(cell, scope);
  for (const auto& entry : cell.state()) keys.push_back(entry.first);
  REQUIRE(own.size() == values.size());
  for (std::size_t k = 0; k < own.size(); ++k) CHECK(own[k].first == names.at(first + k));
  put_parameters(cell, keys, values);
}

List run(const Golden& g, const List& x) {
  const std::string& kind = g.op;
  const auto lengths = g.list(6).vec();
  if (kind == "both") {
    auto fw = make(g, kind), bw = make(g, kind);
    const std::size_t half = 2;
    put(fw.cell(), "bidirectional_rnn/fw", g, std::span(x).subspan(5, half), 0), put(bw.cell(), "bidirectional_rnn/bw", g, std::span(x).subspan(7, half), half);
    auto r = nn::bidirectional_dynamic_rnn(fw.cell(), bw.cell(), x[0], {.initial_fw = {x[1], x[2]}, .initial_bw = {x[3], x[4]}, .lengths = lengths});
    return {r.output_fw, r.output_bw, r.state_fw[0], r.state_fw[1], r.state_bw[0], r.state_bw[1]};
  }
  auto any = make(g, kind);
  nn::Cell& cell = any.cell();
  const std::size_t states = x[1].numel() ? cell.state_parts().size() : 1;
  put(cell, "rnn", g, std::span(x).subspan(1 + states), 0);
  nn::CellState initial;
  if (x[1].numel()) initial.assign(x.begin() + 1, x.begin() + 1 + static_cast<std::ptrdiff_t>(states));
  auto r = nn::dynamic_rnn(cell, x[0], {.initial = initial, .lengths = lengths});
  List result{r.output};
  result.insert(result.end(), r.state.begin(), r.state.end());
  return result;
}

/// A cell whose kernel and bias are given, x [N, T, in] in float64.
template <class C> void set(C& cell, const Tensor& kernel, const Tensor& bias) {
  const NoGrad off;
  cell.kernel.copy_(kernel), cell.bias.copy_(bias);
}
void check_values(const Tensor& t, const std::vector<double>& want) {
  const auto have = t.to_vector<double>();
  REQUIRE(have.size() == want.size());
  for (std::size_t k = 0; k < want.size(); ++k) CHECK(have[k] == Approx(want[k]).margin(6e-9));
}
/// Kernel [4, 8], bias and inputs of the example with two inputs and two units.
Tensor example_kernel() {
  std::vector<double> v;
  for (int n = 0; n < 32; ++n) v.push_back((n % 7 - 3) / 10.0 + 0.05);
  return tensor(v).reshape({4, 8});
}
Tensor example_bias() { return (arange(8., kDouble) - 4) / 100; }
Tensor example_x() { return tensor({{{1., -0.5}, {0.25, 0.75}, {-1., 0.5}}}, kDouble); }

}  // namespace

TEST_CASE("TensorFlow's cells agree with TensorFlow: names, values, states, gradients", "[nn][tf_cells]") {
  std::map<std::string, RunGolden> kinds;
  for (const char* kind : {"basic_rnn", "gru", "basic_lstm", "lstm", "multi", "both"}) kinds[kind] = run;
  check_goldens(RILL_SOURCE_DIR "/test/nn/tf_rnn_goldens.txt", kinds);
}

TEST_CASE("the simple recurrent network of the book", "[nn][tf_cells]") {
  tf::BasicRNNCell cell(1, 2, {.tensor = kDouble});
  set(cell, tensor({{0.5, 0.6}, {0.1, 0.2}, {0.3, 0.4}}, kDouble), tensor({0.1, -0.1}, kDouble));
  const auto r = nn::dynamic_rnn(cell, tensor({{{1.}, {2.}}}, kDouble));
  check_values(r.output, {0.53704957, 0.46211716, 0.85973818, 0.88366641});
}

TEST_CASE("one unit of an LSTM, with and without peepholes", "[nn][tf_cells]") {
  const Tensor kernel = tensor({{.1, .2, .3, .4}, {.5, .6, .7, .8}}, kDouble), x = tensor({{{1.}, {-1.}, {2.}}}, kDouble), bias = zeros({4}, kDouble);
  tf::BasicLSTMCell cell(1, 1, {.tensor = kDouble});
  set(cell, kernel, bias);
  nn::CellState state;
  std::vector<double> seen;
  for (const Tensor& step : unbind(x, 1)) {
    auto r = cell(step, state);
    state = r.state;
    seen.push_back(state[0].item<double>()), seen.push_back(state[1].item<double>());
    CHECK(equal(r.output, state[1]));
  }
  check_values(tensor(seen), {0.10361794, 0.06181371, -0.00773160, -0.00319502, 0.20142631, 0.13702073});
  tf::LSTMCell peep(1, 1, {.use_peepholes = true, .tensor = kDouble});
  set(peep, kernel, bias);
  const NoGrad off;
  peep.w_f_diag.fill_(.1), peep.w_i_diag.fill_(.2), peep.w_o_diag.fill_(.3);
  const auto r = nn::dynamic_rnn(peep, x);
  check_values(r.output, {0.06258242, -0.00335093, 0.13919766});
  check_values(r.state[0], {0.20090296});
}

TEST_CASE("a GRU resets before the product", "[nn][tf_cells]") {
  const NoGrad off;
  tf::GRUCell one(1, 1, {.tensor = kDouble});
  one.gates_kernel.copy_(tensor({{.1, .2}, {.3, .4}}, kDouble)), one.candidate_kernel.copy_(tensor({{.5}, {.6}}, kDouble));
  const Tensor x = tensor({{{1.}, {-1.}, {2.}}}, kDouble);
  check_values(nn::dynamic_rnn(one, x).output, {0.10696867, -0.05316855, 0.10866921});
  tf::GRUCell two(1, 2, {.tensor = kDouble});
  two.gates_kernel.copy_(tensor({{.1, -.2, .3, .4}, {.2, .1, -.1, .3}, {.05, .25, .15, -.35}}, kDouble));
  two.candidate_kernel.copy_(tensor({{.5, -.4}, {.3, .2}, {-.6, .7}}, kDouble));
  check_values(nn::dynamic_rnn(two, x).output, {0.09896933, -0.07516003, -0.07470857, 0.07258535, 0.06037688, -0.03446723});
}

TEST_CASE("an LSTM of two units: values, gradients, lengths, projection, limits", "[nn][tf_cells]") {
  tf::BasicLSTMCell cell(2, 2, {.tensor = kDouble});
  set(cell, example_kernel(), example_bias());
  const Tensor x = example_x().requires_grad_();
  const auto r = nn::dynamic_rnn(cell, x);
  check_values(r.output, {-0.02625607, -0.00748524, -0.01586630, 0.01720122, 0.00251678, 0.01961284});
  check_values(r.state[0], {0.00647773, 0.03557900});
  sum(r.state[1]).backward();
  check_values(x.grad(), {0.00525726, 0.03749235, 0.00041650, 0.03847556, 0.00135205, 0.05179595});

  const auto two = nn::dynamic_rnn(cell, x, {.lengths = {2}});
  check_values(two.output, {-0.02625607, -0.00748524, -0.01586630, 0.01720122, 0, 0});
  check_values(two.state[0], {-0.03299206, 0.03708485});
  const auto back = nn::dynamic_rnn(cell, x, {.lengths = {2}, .reverse = true});
  check_values(back.output, {-0.02347261, 0.01323155, 0.00107151, 0.02513495, 0, 0});
  check_values(back.state[0], {-0.03781914, 0.02851708});

  tf::LSTMCell projected(2, 2, {.num_proj = 1, .tensor = kDouble});
  set(projected, example_kernel().narrow(0, 0, 3), example_bias());
  tf::LSTMCell limited(2, 2, {.cell_clip = 0.3, .tensor = kDouble});
  set(limited, example_kernel(), example_bias());
  const NoGrad off;
  projected.projection.copy_(tensor({{0.5}, {-0.25}}, kDouble));
  const auto p = nn::dynamic_rnn(projected, x);
  check_values(p.output, {-0.01125673, -0.01213862, -0.00371812});
  check_values(p.state[0], {0.00575153, 0.03510485});
  const auto c = nn::dynamic_rnn(limited, x * 10);
  check_values(c.state[0], {0.3, 0.3});
  check_values(c.state[1], {0.00255095, 0.24936044});
}

TEST_CASE("an LSTM of TensorFlow becomes one of PyTorch exactly", "[nn][tf_cells]") {
  const LstmWeights w = tf::import_tf_lstm(example_kernel(), example_bias());
  check_values(w.ih, {-.25, -.15, -.15, -.05, .15, .25, .25, .35, -.05, .05, .05, .15, .35, -.25, -.25, -.15});
  check_values(w.bias_ih, {-.04, -.03, 1.00, 1.01, -.02, -.01, .02, .03});
  check_values(w.bias_hh, std::vector<double>(8, 0));
  nn::LSTM lstm(2, 2, {.batch_first = true, .tensor = kDouble});
  lstm.load({{"weight_ih_l0", w.ih}, {"weight_hh_l0", w.hh}, {"bias_ih_l0", w.bias_ih}, {"bias_hh_l0", w.bias_hh}});
  tf::BasicLSTMCell cell(2, 2, {.tensor = kDouble});
  set(cell, example_kernel(), example_bias());
  CHECK(allclose(lstm(example_x()).output, nn::dynamic_rnn(cell, example_x()).output, 1e-14, 1e-15));
  CHECK(MESSAGE(ShapeError, tf::import_tf_lstm(zeros({4, 6}), zeros({6}))) == "import_tf_lstm: the kernel is float32 [4, 6]; expected [in + units, 4 units]");
  CHECK(MESSAGE(ShapeError, tf::import_tf_lstm(zeros({2, 8}), zeros({8}))) == "import_tf_lstm: the kernel is float32 [2, 8]; expected [in + units, 4 units]");
  CHECK(MESSAGE(ShapeError, tf::import_tf_lstm(zeros({4, 8}), zeros({4}))) == "import_tf_lstm: the bias is float32 [4], expected [8] beside the kernel float32 [4, 8]");
}

TEST_CASE("cells start as TensorFlow's and count as many parameters", "[nn][tf_cells]") {
  const std::int64_t in = 5, u = 3, p = 2;
  const tf::GRUCell gru(in, u);
  CHECK(gru.gates_bias.to_vector<float>() == std::vector<float>(6, 1));
  CHECK(gru.candidate_bias.to_vector<float>() == std::vector<float>(3, 0));
  CHECK(amax(abs(gru.gates_kernel)).item<double>() <= std::sqrt(6.0 / (in + u + 2 * u)));
  CHECK(gru.parameter_count() == 3 * u * (in + u + 1));
  CHECK(tf::BasicRNNCell(in, u).parameter_count() == (in + u + 1) * u);
  CHECK(tf::BasicLSTMCell(in, u).parameter_count() == 4 * u * (in + u + 1));
  CHECK(tf::LSTMCell(in, u, {.use_peepholes = true}).parameter_count() == 4 * u * (in + u + 1) + 3 * u);
  CHECK(tf::LSTMCell(in, u, {.num_proj = p}).parameter_count() == 4 * u * (in + p + 1) + u * p);
  const tf::LSTMCell all(in, u, {.use_peepholes = true, .initializer = [](const Tensor& w) { w.fill_(0.5); }, .num_proj = p});
  for (const auto& [name, value] : all.state()) CHECK(value.to_vector<float>()[0] == (name == "bias" ? 0 : 0.5f));
  nn::check_parts(gru), nn::check_parts(all), nn::check_parts(nn::MultiRNNCell({gru}));
  CHECK(tf::LSTMCell(in, u, {.use_peepholes = true, .num_proj = p}).describe() == "LSTMCell(5, 3, use_peepholes=True, num_proj=2)");
  CHECK(tf::BasicLSTMCell(in, u).describe() == "BasicLSTMCell(5, 3)");
}

TEST_CASE("variables of TensorFlow go into cells by name, also those of old names", "[nn][tf_cells]") {
  nn::MultiRNNCell cell({tf::BasicLSTMCell(2, 3), nn::DropoutWrapper(tf::GRUCell(3, 2), {.output_keep_prob = 0.5})});
  CHECK(cell.state()[0].first == "cells.0.kernel");
  CHECK(cell.state()[2].first == "cells.1.cell.gates.kernel");
  NamedTensors found = tf::variables(cell);
  CHECK(found[2].first == "rnn/multi_rnn_cell/cell_1/gru_cell/gates/kernel");
  for (auto& entry : found) entry.second = full_like(entry.second, 0.25);
  found[0].first = "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/weights", found[1].first = "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/biases";
  found.emplace_back("global_step", tensor(3));
  tf::load(cell, found);
  for (const auto& entry : cell.state()) CHECK(entry.second.to_vector<float>().back() == 0.25f);
  found.erase(found.begin() + 1);
  CHECK(MESSAGE(ValueError, tf::load(cell, found)) == "load: 1 tensor missing (rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias); nothing was changed");
}

TEST_CASE("TensorFlow's cells say what is wrong", "[nn][tf_cells]") {
  CHECK(MESSAGE(ValueError, tf::BasicRNNCell(0, 2)) == "BasicRNNCell: input_size is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, tf::BasicLSTMCell(2, 0)) == "BasicLSTMCell: units is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, tf::GRUCell(2, 0)) == "GRUCell: units is 0; it must be at least 1");
  CHECK(MESSAGE(ValueError, tf::LSTMCell(2, 3, {.cell_clip = 0})) == "LSTMCell: cell_clip is 0; it must be above 0");
  CHECK(MESSAGE(ValueError, tf::LSTMCell(2, 3, {.num_proj = -1})) == "LSTMCell: num_proj is -1; it must be 0 (none) or the size of the projection");
  CHECK(MESSAGE(ValueError, tf::LSTMCell(2, 3, {.proj_clip = 1})) == "LSTMCell: proj_clip is 1 without a projection; set num_proj");
}

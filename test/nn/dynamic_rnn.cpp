// Cells, wrappers and the functions that run them over sequences.
#include <rill/nn/dynamic_rnn.h>

#include <set>

#include <rill/core/random.h>
#include <rill/nn/cell_wrappers.h>
#include <rill/nn/linear.h>
#include <rill/nn/rnn_cell.h>
#include <rill/nn/tf_cells.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/random.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "test/support/catch.h"
#include "test/support/message.h"

using namespace rill;

namespace {

/// A cell of a user: the state counts, weighted, what was seen.
struct Counter : nn::Cell {
  nn::Linear weight{2, 3, {.bias = false}};
  std::int64_t input_size() const override { return 2; }
  std::int64_t output_size() const override { return 3; }
  std::vector<nn::StatePart> state_parts() const override { return {{3}}; }
  void parts(nn::Parts& p) override { p("weight", weight); }

 protected:
  nn::CellResult step(const Tensor& x, const nn::CellState& s, nn::CellRun&) const override {
    const Tensor next = s[0] * 0.5 + weight(x);
    return {next * 2, {next}};
  }
};
/// Adds nothing to a cell but hides its faster way.
struct Slow : nn::Cell {
  nn::AnyCell inner;
  explicit Slow(nn::AnyCell c) : inner(std::move(c)) {}
  std::int64_t input_size() const override { return inner.cell().input_size(); }
  std::int64_t output_size() const override { return inner.cell().output_size(); }
  std::vector<nn::StatePart> state_parts() const override { return inner.cell().state_parts(); }
  void parts(nn::Parts& p) override { p("inner", inner.module()); }

 protected:
  nn::CellResult step(const Tensor& x, const nn::CellState& s, nn::CellRun& run) const override { return inner.cell()(x, s, run); }
};

std::set<double> distinct(const Tensor& t) {
  const auto v = t.to_vector<double>();
  return {v.begin(), v.end()};
}
nn::tf::BasicRNNCell memoryless() {  // tanh(x) with a weight of 1 for x and 0 for the state
  nn::tf::BasicRNNCell cell(4, 4);
  cell.kernel.reset(cat({eye(4), zeros({4, 4})}));
  return cell;
}

}  // namespace

TEST_CASE("cells with a faster way give what their steps give", "[nn][dynamic_rnn]") {
  Generator gen(2);
  const Tensor x = randn({3, 5, 2}, {}, gen);
  for (nn::AnyCell cell : {nn::AnyCell(nn::tf::LSTMCell(2, 3, {.use_peepholes = true, .num_proj = 2})), nn::AnyCell(nn::tf::BasicRNNCell(2, 3)), nn::AnyCell(nn::GRUCell(2, 3)),
                           nn::AnyCell(nn::LSTMCell(2, 3)), nn::AnyCell(nn::RNNCell(2, 3)), nn::AnyCell(nn::MultiRNNCell({nn::LSTMCell(2, 3), nn::tf::GRUCell(3, 4)}))}) {
    const Slow slow(cell);
    for (const std::vector<std::int64_t>& lengths : {std::vector<std::int64_t>{}, {5, 0, 2}})
      for (const bool reverse : {false, true}) {
        const auto a = nn::dynamic_rnn(cell.cell(), x, {.lengths = lengths, .reverse = reverse}), b = nn::dynamic_rnn(slow, x, {.lengths = lengths, .reverse = reverse});
        CHECK(allclose(a.output, b.output, 1e-5, 1e-6));
        for (std::size_t k = 0; k < a.state.size(); ++k) CHECK(allclose(a.state[k], b.state[k], 1e-5, 1e-6));
      }
  }
}

TEST_CASE("a cell of one's own runs over sequences", "[nn][dynamic_rnn]") {
  const Counter cell;
  const Tensor x = rand({4, 3, 2});
  const auto [output, state] = nn::dynamic_rnn(cell, x, {.lengths = {3, 1, 0, 2}});
  for (int row = 0; row < 4; ++row) {
    const int length = row == 0 ? 3 : row == 1 ? 1 : row == 2 ? 0 : 2;
    nn::CellState own = cell.zero_state(1);
    for (int t = 0; t < 3; ++t) {
      if (t < length) {
        const auto r = cell(x(Slice(row, row + 1), t), own);
        own = r.state;
        CHECK(allclose(output(row, t), r.output.squeeze(0)));
      } else {
        CHECK(equal(output(row, t), zeros({3})));
      }
    }
    CHECK(allclose(state[0][row], own[0].squeeze(0)));
  }
  const auto major = nn::dynamic_rnn(cell, x.transpose(0, 1), {.time_major = true});
  CHECK(allclose(major.output.transpose(0, 1), nn::dynamic_rnn(cell, x).output));
  const auto steps = nn::static_rnn(cell, unbind(x, 1), {.lengths = {3, 1, 0, 2}});
  CHECK(steps.outputs.size() == 3);
  CHECK(allclose(stack(steps.outputs, 1), output));
}

TEST_CASE("dropout of a cell drops what goes in, what goes up, and h, but no memory", "[nn][cell_wrappers]") {
  manual_seed(3);
  const Tensor x = ones({50, 6, 4});
  const double full = std::tanh(1.0);
  const auto run = [&](const nn::DropoutWrapperOptions& o) { return nn::dynamic_rnn(nn::DropoutWrapper(memoryless(), o), x); };
  CHECK(distinct(run({}).output.to(float64)).size() == 1);
  const Tensor up = run({.output_keep_prob = 0.5}).output.to(float64);
  for (const double v : distinct(up)) CHECK((v == 0 || v == Approx(2 * full)));
  CHECK(mean(up).item<double>() == Approx(full).margin(0.1));
  CHECK(run({.output_keep_prob = 0.5}).state[0].to_vector<float>() == std::vector<float>(200, static_cast<float>(full)));  // what goes on in time is whole
  for (const double v : distinct(run({.input_keep_prob = 0.5}).output.to(float64))) CHECK((v == 0 || v == Approx(std::tanh(2.0))));

  const nn::DropoutWrapper lstm(nn::tf::BasicLSTMCell(4, 8), {.state_keep_prob = 0.5});
  const auto [output, state] = nn::dynamic_rnn(lstm, x);
  CHECK(count_nonzero(eq(state[0], 0)).item<double>() == 0);
  CHECK(count_nonzero(eq(state[1], 0)).item<double>() == Approx(200).margin(60));
  CHECK(count_nonzero(eq(output, 0)).item<double>() == 0);  // dropped after the output was taken

  nn::DropoutWrapper evaluated(memoryless(), {.input_keep_prob = 0.5, .output_keep_prob = 0.5, .state_keep_prob = 0.5});
  evaluated.eval();
  CHECK(distinct(nn::dynamic_rnn(evaluated, x).output).size() == 1);
  CHECK(evaluated.describe() == "DropoutWrapper(input_keep_prob=0.5, output_keep_prob=0.5, state_keep_prob=0.5)");
}

TEST_CASE("masks live for a step, for a row's sequence, or for a whole run", "[nn][cell_wrappers]") {
  const Tensor x = ones({30, 7, 4});
  const auto dropped = [&](nn::DropoutMask mask, const std::vector<std::int64_t>& lengths = {}) {
    const nn::DropoutWrapper cell(memoryless(), {.output_keep_prob = 0.5, .mask = mask, .generator = Generator(7)});
    return ne(nn::dynamic_rnn(cell, x, {.lengths = lengths}).output, 0);  // [rows, steps, units]
  };
  const auto same_over = [](const Tensor& t, std::int64_t axis) { return all(eq(t, t.narrow(axis, 0, 1))).item<bool>(); };
  const Tensor step = dropped(nn::DropoutMask::per_step), sequence = dropped(nn::DropoutMask::per_sequence), shared = dropped(nn::DropoutMask::shared_batch);
  CHECK((!same_over(step, 0) && !same_over(step, 1)));
  CHECK((!same_over(sequence, 0) && same_over(sequence, 1)));
  CHECK((same_over(shared, 0) && same_over(shared, 1)));
  std::vector<std::int64_t> lengths(30, 3);
  lengths[4] = 7;
  CHECK(same_over(dropped(nn::DropoutMask::per_sequence, lengths).narrow(1, 0, 3), 1));

  // a loop by hand shares the masks through the run; without one each step has its own
  const nn::DropoutWrapper cell(memoryless(), {.output_keep_prob = 0.5, .state_keep_prob = 0.9, .mask = nn::DropoutMask::shared_batch});
  nn::CellRun run;
  const Tensor one = ones({2, 4});
  CHECK(equal(cell(one, {}, run).output, cell(one, {}, run).output));
  bool differs = false;
  for (int k = 0; k < 20; ++k) differs |= !equal(cell(one).output, cell(one).output);
  CHECK(differs);
}

TEST_CASE("variational masks of wrappers inside others are kept over the steps", "[nn][cell_wrappers]") {
  const nn::DropoutWrapperOptions variational{.output_keep_prob = 0.5, .state_keep_prob = 0.999, .mask = nn::DropoutMask::shared_batch};
  const nn::DropoutWrapper outer(nn::MultiRNNCell({nn::DropoutWrapper(memoryless(), variational), memoryless()}), variational);
  const Tensor kept = ne(nn::dynamic_rnn(outer, ones({3, 6, 4})).output, 0);
  CHECK(equal(kept, kept.narrow(1, 0, 1).expand({3, 6, 4})));
}

TEST_CASE("cells, wrappers and dynamic_rnn say what is wrong", "[nn][dynamic_rnn]") {
  const nn::tf::BasicLSTMCell cell(2, 3);
  const Tensor x = zeros({4, 5, 2});
  CHECK(MESSAGE(ShapeError, nn::dynamic_rnn(cell, zeros({4, 2}))) == "dynamic_rnn: x float32 [4, 2] has rank 2; expected [N, T, features]");
  CHECK(MESSAGE(ShapeError, nn::dynamic_rnn(cell, zeros({4, 2}), {.time_major = true})) == "dynamic_rnn: x float32 [4, 2] has rank 2; expected [T, N, features]");
  CHECK(MESSAGE(ValueError, nn::dynamic_rnn(cell, x, {.lengths = {1, 2, 6, 1}})) == "dynamic_rnn: lengths[2] is 6; it must be between 0 and 5, the steps of x float32 [4, 5, 2]");
  CHECK(MESSAGE(ShapeError, nn::dynamic_rnn(cell, x, {.lengths = {1}})) == "dynamic_rnn: 1 lengths are given for the 4 rows of x float32 [4, 5, 2]");
  CHECK(MESSAGE(ShapeError, nn::dynamic_rnn(cell, zeros({4, 5, 3}))) == "BasicLSTMCell: x float32 [5, 4, 3] has 3 features, the cell takes 2 (in BasicLSTMCell)");
  CHECK(MESSAGE(ValueError, nn::dynamic_rnn(cell, x, {.initial = {zeros({4, 3})}})) == "BasicLSTMCell: the state has 1 tensors, the cell has 2; zero_state() makes one (in BasicLSTMCell)");
  CHECK(MESSAGE(ShapeError, nn::dynamic_rnn(cell, x, {.initial = {zeros({4, 3}), zeros({3, 3})}, .lengths = {1, 1, 1, 1}})).starts_with("BasicLSTMCell: state 1 has shape [3, 3], expected [4, 3] for x"));
  CHECK(MESSAGE(ShapeError, cell(zeros({2}))) == "BasicLSTMCell: x float32 [2] has rank 1; a step takes [N, features] (in BasicLSTMCell)");
  CHECK(MESSAGE(ValueError, cell(Tensor())) == "BasicLSTMCell: input is undefined; pass a tensor with values (in BasicLSTMCell)");
  CHECK(MESSAGE(ValueError, cell(zeros({1, 2}), {zeros({1, 3}), {}})) == "BasicLSTMCell: a tensor of the state is undefined; pass a tensor with values (in BasicLSTMCell)");
  CHECK(MESSAGE(ValueError, nn::static_rnn(cell, {})) == "static_rnn: the list of steps is empty; pass at least one");
  CHECK(MESSAGE(ValueError, nn::MultiRNNCell({})) == "MultiRNNCell: the list of cells is empty; pass at least one");
  CHECK(MESSAGE(ValueError, nn::MultiRNNCell({cell, cell})) == "MultiRNNCell: cell 1 takes 2 features, the one below gives 3");
  CHECK(MESSAGE(ValueError, nn::DropoutWrapper(cell, {.state_keep_prob = 0})) == "DropoutWrapper: state_keep_prob is 0; it must be above 0 and at most 1");
  CHECK(MESSAGE(ValueError, nn::DropoutWrapper(cell, {.input_keep_prob = 1.5})) == "DropoutWrapper: input_keep_prob is 1.5; it must be above 0 and at most 1");
}

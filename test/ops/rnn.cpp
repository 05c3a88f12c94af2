// Recurrent layers as ops.
#include <rill/ops/rnn.h>

#include <rill/autograd/gradcheck.h>
#include <rill/autograd/saved_tensor_hooks.h>
#include <rill/core/threads.h>
#include <rill/ops/linalg.h>
#include <rill/ops/random.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

using namespace rill;

namespace {

std::vector<std::int64_t> sizes(const Golden& g, std::size_t k) { return g.list(k).vec(); }
LstmOptions lstm_options(const Golden& g) {
  return {.reverse = g.integer(0) == 1, .batch_sizes = sizes(g, 1), .gates = static_cast<LstmGates>(g.integer(2)), .forget_bias = g.number(3),
          .cell_clip = g.number(4), .proj_clip = g.number(5) < 9 ? g.number(5) : std::numeric_limits<double>::infinity()};
}
List listed(const RecurrentResult& r) { return {r.output, r.h}; }
List listed(const LstmResult& r) { return {r.output, r.h, r.c}; }

const std::map<std::string, RunGolden> kOps = {
    {"rnn_layer",
     [](auto& g, auto& x) -> List {
       return listed(rnn_layer(x[0], optional(x[1]), {x[2], x[3], optional(x[4]), optional(x[5])}, static_cast<RnnNonlinearity>(g.integer(0)),
                               {.reverse = g.integer(1) == 1, .batch_sizes = sizes(g, 2)}));
     }},
    {"gru_layer",
     [](auto& g, auto& x) -> List {
       return listed(gru_layer(x[0], optional(x[1]), {x[2], x[3], optional(x[4]), optional(x[5])}, {.reverse = g.integer(0) == 1, .batch_sizes = sizes(g, 1)}));
     }},
    {"lstm_layer",
     [](auto& g, auto& x) -> List {
       return listed(lstm_layer(x[0], optional(x[1]), optional(x[2]),
                                {x[3], x[4], optional(x[5]), optional(x[6]), optional(x[7]), optional(x[8]), optional(x[9]), optional(x[10])}, lstm_options(g)));
     }},
};

Generator g_random(3);
Tensor x(const Shape& s) { return (randn(s, {.dtype = float64}, g_random) * 0.5).requires_grad_(); }

/// Runs one step after the other: the same layer on sequences of one step.
template <class F> List step_by_step(const List& in, F layer) {
  Tensor h = in[1], c = in[2];
  List outputs;
  for (const Tensor& step : unbind(in[0])) {
    const auto r = layer(step.unsqueeze(0), h, c);
    outputs.push_back(r[0].squeeze(0)), h = r[1];
    if (r.size() > 2) c = r[2];
  }
  return {stack(outputs), h, c};
}

}  // namespace

TEST_CASE("recurrent layers agree with PyTorch up to the second derivative", "[ops][rnn]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/rnn_goldens.txt", kOps);
}

TEST_CASE("gradients of recurrent layers are right for sizes beyond a register and up to the third derivative", "[ops][rnn]") {
  const std::int64_t u = 9, f = 3;
  const auto lstm = [](const List& t) { return listed(lstm_layer(t[0], t[1], t[2], {t[3], t[4], t[5], t[6], {}, t[7], t[8], t[9]}, {.cell_clip = 0.7})); };
  CHECK(gradcheck(lstm, {x({3, 2, f}), x({2, u}), x({2, u}), x({4 * u, f}), x({4 * u, u}), x({4 * u}), x({4 * u}), x({u}), x({u}), x({u})}, {.rtol = 1e-5}).message == "");
  const auto projected = [](const List& t) { return listed(lstm_layer(t[0], t[1], t[2], {t[3], t[4], t[5], {}, t[6]}, {.reverse = true, .batch_sizes = {2, 2, 1}})); };
  CHECK(gradcheck(projected, {x({5, f}), x({3, 4}), x({3, u}), x({4 * u, f}), x({4 * u, 4}), x({4 * u}), x({4, u})}, {.rtol = 1e-5}).message == "");
  const auto gru = [](const List& t) { return listed(gru_layer(t[0], t[1], {t[2], t[3], t[4], t[5]})); };
  CHECK(gradcheck(gru, {x({3, 2, f}), x({2, u}), x({3 * u, f}), x({3 * u, u}), x({3 * u}), x({3 * u})}, {.rtol = 1e-5}).message == "");
  const auto plain = [](const List& t) { return listed(rnn_layer(t[0], t[1], {t[2], t[3], t[4], t[5]})); };
  CHECK(gradcheck(plain, {x({3, 2, f}), x({2, u}), x({u, f}), x({u, u}), x({u}), x({u})}, {.rtol = 1e-5}).message == "");

  const auto first = [&gru](const List& t) {  // the gradient of h with respect to x and W_hh as a function: its second derivative is gru's third
    const Tensor y = sum(gru({t[0], t[1], t[2], t[3], {}, {}})[1]);
    return grad({y}, {t[0], t[3]}, {}, {.create_graph = true});
  };
  CHECK(gradgradcheck(first, {x({2, 1, 1}), x({1, 2}), x({6, 1}), x({6, 2})}, {.rtol = 1e-4, .atol = 1e-5}).message == "");
}

TEST_CASE("an input made from another one counts as a value of its own in recorded gradients", "[ops][rnn]") {
  const Tensor w = x({3, 3});
  const auto tied = [](const List& t) { return rnn_layer(t[0], t[0].select(0, 1) * 2, {t[1], t[1].t() * t[1], t[1].select(0, 0)}).output; };
  CHECK(gradgradcheck(tied, {x({2, 2, 3}), w}, {.rtol = 1e-5, .atol = 1e-6}).message == "");
}

TEST_CASE("a whole sequence gives what its steps give", "[ops][rnn]") {
  const std::int64_t u = 37, f = 5, n = 6;
  const List in{x({7, n, f}), x({n, u}), x({n, u})};
  const auto compare = [&](auto layer, const List& weights) {
    const List whole = layer(in[0], in[1], in[2]), steps = step_by_step(in, layer);
    for (std::size_t k = 0; k < whole.size(); ++k) CHECK(allclose(whole[k], steps[k], 1e-12, 1e-13));
    List wanted = in;
    wanted.insert(wanted.end(), weights.begin(), weights.end());
    const Tensor w = ramp(whole[0]);
    const List a = grad({sum(whole[0] * w) + sum(whole[1])}, wanted, {}, {.allow_unused = true}), b = grad({sum(steps[0] * w) + sum(steps[1])}, wanted, {}, {.allow_unused = true});
    for (std::size_t k = 0; k < a.size(); ++k)
      if (a[k].defined()) CHECK(allclose(a[k], b[k], 1e-11, 1e-11));
  };
  const List lstm{x({4 * u, f}), x({4 * u, u}), x({4 * u}), x({4 * u})}, gru{x({3 * u, f}), x({3 * u, u}), x({3 * u}), x({3 * u})}, plain{x({u, f}), x({u, u}), x({u}), x({u})};
  compare([&](const Tensor& x, const Tensor& h, const Tensor& c) { return listed(lstm_layer(x, h, c, {lstm[0], lstm[1], lstm[2], lstm[3]})); }, lstm);
  compare([&](const Tensor& x, const Tensor& h, const Tensor&) { return listed(gru_layer(x, h, {gru[0], gru[1], gru[2], gru[3]})); }, gru);
  compare([&](const Tensor& x, const Tensor& h, const Tensor&) { return listed(rnn_layer(x, h, {plain[0], plain[1], plain[2], plain[3]})); }, plain);
}

TEST_CASE("recurrent layers do not depend on the number of threads", "[ops][rnn]") {
  Generator gen(5);
  const std::int64_t u = 70, f = 40, n = 64;
  const Tensor x = randn({5, n, f}, {}, gen), ih = randn({4 * u, f}, {}, gen) * 0.1, hh = randn({4 * u, u}, {}, gen) * 0.1;
  const auto results = [&] {
    std::vector<double> all;
    const Tensor a = x.clone().requires_grad_(), b = ih.clone().requires_grad_(), c = hh.clone().requires_grad_();
    const Tensor y = lstm_layer(a, {}, {}, {b, c}).output, z = gru_layer(y, {}, {narrow(c, 0, 0, 3 * u), narrow(c, 0, u, 3 * u)}).output;
    sum(z * z + y).backward();
    for (const Tensor& t : {y, z, a.grad(), b.grad(), c.grad()})
      for (const double d : t.to_vector<double>()) all.push_back(d);
    return all;
  };
  const int before = num_threads();
  set_num_threads(1);
  const auto one = results();
  set_num_threads(3);
  CHECK(results() == one);
  set_num_threads(before);
}

TEST_CASE("a recurrent layer of no steps or no rows keeps its state", "[ops][rnn]") {
  const Tensor h = x({2, 3}), c = x({2, 3}), ih = x({12, 4}), hh = x({12, 3});
  const auto r = lstm_layer(zeros({0, 2, 4}, {.dtype = float64}), h, c, {ih, hh});
  CHECK(r.output.shape() == Shape{0, 2, 3});
  CHECK(equal(r.h, h));
  const List g = grad({sum(r.h * 2) + sum(r.c)}, {h, c, ih, hh});
  CHECK((equal(g[0], full_like(h, 2)) && equal(g[1], ones_like(c)) && equal(g[2], zeros_like(ih)) && equal(g[3], zeros_like(hh))));
  CHECK(lstm_layer(zeros({2, 0, 4}, {.dtype = float64}), {}, {}, {ih, hh}).output.shape() == Shape{2, 0, 3});
  CHECK(gru_layer(zeros({0, 2, 4}), {}, {zeros({9, 4}), zeros({9, 3})}).output.shape() == Shape{0, 2, 3});
}

TEST_CASE("recurrent layers notice writes to what they saved", "[ops][rnn]") {
  const Tensor ih = x({3, 2}), hh = x({3, 3});
  const auto r = rnn_layer(x({2, 1, 2}), {}, {ih, hh});
  r.output.detach().mul_(2);
  CHECK(MESSAGE(GradError, sum(r.h).backward()).starts_with("rnn_layer: its saved tensor float64 [2, 3] was changed in place"));
  int packed = 0;
  {
    const SavedTensorHooks count([&packed](const Tensor& t) { return ++packed, std::any(t); }, [](const std::any& t) { return std::any_cast<Tensor>(t); });
    sum(lstm_layer(x({2, 1, 2}), {}, {}, {x({12, 2}), x({12, 3})}).output).backward();
  }
  CHECK(packed == 8);  // x, h, c, two weights, gates, memories, outputs
}

TEST_CASE("recurrent layers say what is wrong", "[ops][rnn]") {
  const Tensor x = zeros({5, 3, 4}), h = zeros({3, 2}), ih = zeros({8, 4}), hh = zeros({8, 2}), p = zeros({2}), packed = zeros({5, 4});
  const auto lstm = [&](const Tensor& x, const Tensor& h, const Tensor& c, const LstmWeights& w, const LstmOptions& o = {}) { lstm_layer(x, h, c, w, o); };
  CHECK(MESSAGE(ValueError, lstm({}, h, h, {ih, hh})) == "lstm_layer: input is undefined; pass a tensor with values");
  CHECK(MESSAGE(DtypeError, lstm(x.to(int64), h, h, {ih, hh})) == "lstm_layer: int64 is not supported (expected a floating dtype); convert with .to(float32)");
  CHECK(MESSAGE(ShapeError, lstm(packed, h, h, {ih, hh})) == "lstm_layer: x float32 [5, 4] has rank 2; expected [T, N, features], or [rows, features] with batch_sizes");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {ih, hh}, {.batch_sizes = {1}})) == "lstm_layer: x float32 [5, 3, 4] has rank 3; with batch_sizes it is packed: [rows, features]");
  CHECK(MESSAGE(ValueError, lstm(packed, h, h, {ih, hh}, {.batch_sizes = {4, 1}})) == "lstm_layer: batch_sizes[0] is 4; it must be between 1 and 3, the rows of the state");
  CHECK(MESSAGE(ValueError, lstm(packed, h, h, {ih, hh}, {.batch_sizes = {2, 3}})) == "lstm_layer: batch_sizes[1] is 3; it must be between 1 and 2, the size before");
  CHECK(MESSAGE(ValueError, lstm(packed, h, h, {ih, hh}, {.batch_sizes = {2, 0}})) == "lstm_layer: batch_sizes[1] is 0; it must be between 1 and 2, the size before");
  CHECK(MESSAGE(ShapeError, lstm(packed, h, h, {ih, hh}, {.batch_sizes = {3, 1}})) == "lstm_layer: batch_sizes add up to 4 rows, x float32 [5, 4] has 5");
  CHECK(MESSAGE(ValueError, lstm(x, h, h, {{}, hh})) == "lstm_layer: weight_ih is undefined; pass a tensor with values");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {zeros({6, 4}), hh})) == "lstm_layer: weight_ih has shape [6, 4]; expected [4 units, features]");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {zeros({8, 5}), hh})) == "lstm_layer: x float32 [5, 3, 4] has 4 features, weight_ih [8, 5] expects 5");
  CHECK(MESSAGE(ValueError, lstm(x, h, h, {ih, {}})) == "lstm_layer: weight_hh is undefined; pass a tensor of shape [8, 2]");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {ih, zeros({8, 3})})) == "lstm_layer: weight_hh has shape [8, 3], expected [8, 2] for x float32 [5, 3, 4]");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {ih, hh, zeros({7})})) == "lstm_layer: bias_ih has shape [7], expected [8] for x float32 [5, 3, 4]");
  CHECK(MESSAGE(ShapeError, lstm(x, zeros({2, 2}), h, {ih, hh})) == "lstm_layer: h has shape [2, 2], expected [3, 2] for x float32 [5, 3, 4]");
  CHECK(MESSAGE(ShapeError, lstm(x, h, zeros({3, 3}), {ih, hh})) == "lstm_layer: c has shape [3, 3], expected [3, 2] for x float32 [5, 3, 4]");
  CHECK(MESSAGE(DtypeError, lstm(x, h.to(float64), h, {ih, hh})) == "lstm_layer: h is float64, x is float32; convert one with .to()");
  CHECK(MESSAGE(ShapeError, lstm(x, h, h, {ih, hh, {}, {}, zeros({3, 2})})) == "lstm_layer: weight_hh has shape [8, 2], expected [8, 3] for x float32 [5, 3, 4]");
  CHECK(MESSAGE(ValueError, lstm(x, h, h, {ih, hh, {}, {}, {}, p, p})) == "lstm_layer: peephole_o is undefined; pass a tensor of shape [2]");
  CHECK(MESSAGE(ValueError, lstm(x, h, h, {ih, hh}, {.cell_clip = 0})) == "lstm_layer: cell_clip is 0 and proj_clip inf; both must be positive");
  CHECK(MESSAGE(ValueError, lstm(x, h, h, {ih, hh}, {.proj_clip = 1})) == "lstm_layer: proj_clip is 1 without a projection; pass weights.hr");
  CHECK(MESSAGE(ShapeError, gru_layer(x, h, {ih, hh})) == "gru_layer: weight_ih has shape [8, 4]; expected [3 units, features]");
  CHECK(MESSAGE(ShapeError, rnn_layer(x, h, {ih, hh})) == "rnn_layer: weight_hh has shape [8, 2], expected [8, 8] for x float32 [5, 3, 4]");
}

// Recurrent layers and attention by their formulas, in long double.
#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

using Wide = long double;

constexpr int kSteps = 3, kRows = 2, kIn = 2, kUnits = 3;
const Input kX = {.shape = {kSteps, kRows, kIn}}, kState = {.shape = {kRows, kUnits}};
Input weight(Int gates, Int width) { return {.shape = {gates * kUnits, width}, .low = -0.7, .high = 0.7}; }
std::vector<Input> layer_inputs(Int gates) { return {kX, weight(gates, kIn), weight(gates, kUnits), kState, {.shape = {gates * kUnits}}}; }

Wide sigmoid_of(Wide x) { return 1 / (1 + std::exp(-x)); }
/// Row `k` of w times v, plus b.
Wide affine(const Plain& w, int k, const std::vector<Wide>& v, Wide b) {
  for (std::size_t i = 0; i < v.size(); ++i) b += w.at(k, static_cast<Int>(i)) * v[i];
  return b;
}
/// Outputs [T, N, units] of `step(x, h, c)`, which changes h and c of one row.
Values run_rows(const std::vector<Plain>& in, const std::function<void(const std::vector<Wide>&, std::vector<Wide>&, std::vector<Wide>&)>& step) {
  Values y(kSteps * kRows * kUnits);
  for (int r = 0; r < kRows; ++r) {
    const double* from = in[3].v.data() + r * kUnits;
    std::vector<Wide> h(from, from + kUnits), c(in.size() > 5 ? std::vector<Wide>(in[5].v.data() + r * kUnits, in[5].v.data() + (r + 1) * kUnits) : h);
    for (int t = 0; t < kSteps; ++t) {
      const double* x = in[0].v.data() + (t * kRows + r) * kIn;
      step(std::vector<Wide>(x, x + kIn), h, c);
      for (int u = 0; u < kUnits; ++u) y[static_cast<std::size_t>((t * kRows + r) * kUnits + u)] = static_cast<double>(h[static_cast<std::size_t>(u)]);
    }
  }
  return y;
}
Values rnn_of(const std::vector<Plain>& in) {
  return run_rows(in, [&](const auto& x, auto& h, auto&) {
    const auto before = h;
    for (int u = 0; u < kUnits; ++u) h[static_cast<std::size_t>(u)] = std::tanh(affine(in[1], u, x, affine(in[2], u, before, in[4].v[static_cast<std::size_t>(u)])));
  });
}
Values gru_of(const std::vector<Plain>& in) {
  return run_rows(in, [&](const auto& x, auto& h, auto&) {
    const auto before = h;
    const auto bias = [&](int k) { return in[4].v[static_cast<std::size_t>(k)]; };
    for (int u = 0; u < kUnits; ++u) {
      const int z = u + kUnits, n = u + 2 * kUnits;
      const Wide reset = sigmoid_of(affine(in[1], u, x, bias(u)) + affine(in[2], u, before, 0)), update = sigmoid_of(affine(in[1], z, x, bias(z)) + affine(in[2], z, before, 0));
      const Wide fresh = std::tanh(affine(in[1], n, x, bias(n)) + reset * affine(in[2], n, before, 0));
      h[static_cast<std::size_t>(u)] = (1 - update) * fresh + update * before[static_cast<std::size_t>(u)];
    }
  });
}
Values lstm_of(const std::vector<Plain>& in) {
  return run_rows(in, [&](const auto& x, auto& h, auto& c) {
    const auto before = h;
    for (int u = 0; u < kUnits; ++u) {
      const auto gate = [&](int k) { return affine(in[1], k * kUnits + u, x, affine(in[2], k * kUnits + u, before, in[4].v[static_cast<std::size_t>(k * kUnits + u)])); };
      Wide& memory = c[static_cast<std::size_t>(u)];
      memory = sigmoid_of(gate(1)) * memory + sigmoid_of(gate(0)) * std::tanh(gate(2));
      h[static_cast<std::size_t>(u)] = sigmoid_of(gate(3)) * std::tanh(memory);
    }
  });
}

const Input kQ = {.shape = {2, 3, 4}}, kK = {.shape = {2, 5, 4}}, kV = {.shape = {2, 5, 2}};

/// Weights [2, 3, 5] of the causal attention of q over k.
std::vector<Wide> weights_of(const std::vector<Plain>& in) {
  std::vector<Wide> w;
  for (int b = 0; b < 2; ++b)
    for (int i = 0; i < 3; ++i) {
      Wide total = 0;
      std::vector<Wide> row(5);
      for (int j = 0; j <= i; ++j) {
        Wide s = 0;
        for (int e = 0; e < 4; ++e) s += static_cast<Wide>(in[0].v[static_cast<std::size_t>((b * 3 + i) * 4 + e)]) * in[1].v[static_cast<std::size_t>((b * 5 + j) * 4 + e)];
        total += row[static_cast<std::size_t>(j)] = std::exp(s / 2);
      }
      for (const Wide v : row) w.push_back(v / total);
    }
  return w;
}
Values attended(const std::vector<Plain>& in) {
  const auto w = weights_of(in);
  Values y;
  for (int b = 0; b < 2; ++b)
    for (int i = 0; i < 3; ++i)
      for (int f = 0; f < 2; ++f) {
        Wide s = 0;
        for (int j = 0; j < 5; ++j) s += w[static_cast<std::size_t>((b * 3 + i) * 5 + j)] * in[2].v[static_cast<std::size_t>((b * 5 + j) * 2 + f)];
        y.push_back(static_cast<double>(s));
      }
  return y;
}

Row row(const char* name, std::function<Tensor(const Args&)> f, std::vector<Input> inputs, std::function<Values(const std::vector<Plain>&)> whole, std::size_t required, std::vector<ErrorCase> errors) {
  return {.name = name, .run = std::move(f), .inputs = std::move(inputs), .whole = std::move(whole), .bound = 16, .magnitude = 4, .roundings = 2, .required = required, .errors = std::move(errors)};
}

}  // namespace

std::vector<Row> rows_rnn() {
  std::vector<Input> lstm = layer_inputs(4);
  lstm.push_back(kState);
  std::vector<Row> list = {
      row("rnn_layer", [](const Args& a) { return rnn_layer(a[0], a[3], {a[1], a[2], a[4]}).output; }, layer_inputs(1), rnn_of, 3,
          {throws<ShapeError>("rnn_layer: x float32 [1, 1, 2] has 2 features, weight_ih [3, 4] expects 4", [] { rnn_layer(ones({1, 1, 2}), {}, {ones({3, 4}), ones({3, 3})}); })}),
      row("gru_layer", [](const Args& a) { return gru_layer(a[0], a[3], {a[1], a[2], a[4]}).output; }, layer_inputs(3), gru_of, 3,
          {throws<ShapeError>("gru_layer: weight_ih has shape [4, 2]; expected [3 units, features]", [] { gru_layer(ones({1, 1, 2}), {}, {ones({4, 2}), ones({3, 1})}); })}),
      row("lstm_layer", [](const Args& a) { return lstm_layer(a[0], a[3], a[5], {a[1], a[2], a[4]}).output; }, lstm, lstm_of, 3,
          {throws<ShapeError>("lstm_layer: weight_hh has shape [4, 2], expected [4, 1] for x float32 [1, 1, 2]", [] { lstm_layer(ones({1, 1, 2}), {}, {}, {ones({4, 2}), ones({4, 2})}); })}),
      row("scaled_dot_product_attention", [](const Args& a) { return scaled_dot_product_attention(a[0], a[1], a[2], {.is_causal = true}); }, {kQ, kK, kV}, attended, 9,
          {throws<ShapeError>("scaled_dot_product_attention: q float32 [2, 3] has 3 features, k float32 [2, 4] has 4", [] { scaled_dot_product_attention(ones({2, 3}), ones({2, 4}), ones({2, 4})); })}),
      row("attention_weights", [](const Args& a) { return attention_weights(a[0], a[1], {.is_causal = true}); }, {kQ, kK}, [](const std::vector<Plain>& in) {
            const auto w = weights_of(in);
            return Values(w.begin(), w.end());
          }, 9, {throws<ShapeError>("attention_weights: k float32 [4] has rank 1; expected [.., length, features]", [] { attention_weights(ones({3, 4}), ones({4})); })}),
      row("causal_mask", [](const Args& a) { return causal_mask(a[0].size(0), a[0].size(1), a[0].device()); }, {{.shape = {3, 4}}}, [](const std::vector<Plain>&) {
            return Values{1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0};
          }, 9, {throws<ValueError>("causal_mask: sizes are -1 queries and 2 keys; neither may be negative", [] { causal_mask(-1, 2); })}),
  };
  for (Row& r : list) {
    if (r.name == "causal_mask") r.kinds = kAll, r.result = Result::boolean, r.differentiable = false, r.corners = {[](const Args&, Int k) { return causal_mask(k, 2); }, [](const Args&, Int k) { return causal_mask(2, k); }};
    if (r.name.ends_with("_layer"))
      r.corners = {[run = r.run](const Args& a, Int k) {
        Args changed = a;
        changed[1] = narrow(a[1], 0, 0, k);
        return run(changed);
      }};
    if (r.name == "lstm_layer") r.large = {{.shape = {2, 64, 30}}, {.shape = {280, 30}}, {.shape = {280, 70}}, {.shape = {64, 70}}, {.shape = {280}}, {.shape = {64, 70}}};
    if (r.name == "gru_layer") r.large = {{.shape = {2, 64, 30}}, {.shape = {210, 30}}, {.shape = {210, 70}}, {.shape = {64, 70}}, {.shape = {210}}};
    if (r.name == "scaled_dot_product_attention") r.large = {{.shape = {8, 40, 16}}, {.shape = {8, 50, 16}}, {.shape = {8, 50, 16}}};
  }
  return list;
}

}  // namespace rill::optable

// Activations. References in long double, written from their formulas.
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Wide = long double;
#define RILL_ACTIVATION(op) \
  Row { .name = #op, .run = [](const Args& a) { return rill::op(a[0]); }, .elementwise = true, .in_place = [](const Args& a) { rill::op##_(a[0]); } }

Row row(Row r, Wide (*f)(Wide), std::vector<double> kinks = {}, double bound = 8, bool special = true) {
  r.inputs = {{.low = -4, .high = 4, .kinks = std::move(kinks)}};
  r.kinds = kAll, r.result = Result::floating, r.bound = bound, r.special = special;
  for (const char* name : {"relu", "relu6", "threshold"})
    if (r.name == name) r.kinds = kNumbers, r.result = Result::same;
  r.each = [f](const double* x) { return static_cast<double>(f(x[0])); };
  r.errors = unary_errors(r.name, r.run, r.in_place);
  return r;
}
Row function(const char* name, std::function<Tensor(const Args&)> run, Wide (*f)(Wide), std::vector<double> kinks = {}, double bound = 8, bool special = true) {
  return row(Row{.name = name, .run = std::move(run), .elementwise = true}, f, std::move(kinks), bound, special);
}
Wide sigmoid_of(Wide x) { return 1 / (1 + std::exp(-x)); }
Wide softplus_of(Wide x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
Wide between(Wide x, Wide low, Wide high) { return x != x ? x : std::min(high, std::max(low, x)); }

constexpr Wide kAlpha = 1.6732632423543772848170429916717L, kScale = 1.0507009873554804934193349852946L;

}  // namespace

std::vector<Row> rows_activation() {
  std::vector<Row> list = {
      row(RILL_ACTIVATION(relu), [](Wide x) { return x != x ? x : std::max(Wide(0), x); }, {0}, 0),
      row(RILL_ACTIVATION(relu6), [](Wide x) { return between(x, 0, 6); }, {0}, 0),
      row(RILL_ACTIVATION(selu), [](Wide x) { return kScale * (x > 0 ? x : kAlpha * std::expm1(x)); }, {0}),
      row(RILL_ACTIVATION(sigmoid), sigmoid_of),
      row(RILL_ACTIVATION(logsigmoid), [](Wide x) { return -softplus_of(-x); }, {}, 8),
      row(RILL_ACTIVATION(softsign), [](Wide x) { return x / (1 + std::fabs(x)); }, {0}, 8, false),
      row(RILL_ACTIVATION(silu), [](Wide x) { return x * sigmoid_of(x); }, {}, 8, false),
      row(RILL_ACTIVATION(mish), [](Wide x) { return x * std::tanh(softplus_of(x)); }, {}, 16, false),
      row(RILL_ACTIVATION(hardswish), [](Wide x) { return x * between(x + 3, 0, 6) / 6; }, {-3, 3}, 8, false),
      row(RILL_ACTIVATION(hardsigmoid), [](Wide x) { return between(x + 3, 0, 6) / 6; }, {-3, 3}, 8),
      function("elu", [](const Args& a) { return elu(a[0], 1.5); }, [](Wide x) { return x > 0 ? x : 1.5L * std::expm1(x); }, {0}),
      function("celu", [](const Args& a) { return celu(a[0], 2); }, [](Wide x) { return x > 0 ? x : 2 * std::expm1(x / 2); }, {0}),
      function("leaky_relu", [](const Args& a) { return leaky_relu(a[0], 0.25); }, [](Wide x) { return x > 0 ? x : 0.25L * x; }, {0}, 1),
      function("softplus", [](const Args& a) { return softplus(a[0]); }, softplus_of, {}, 8, false),
      function("gelu", [](const Args& a) { return gelu(a[0]); }, [](Wide x) { return x * std::erfc(-x / std::sqrt(Wide(2))) / 2; }, {}, 16, false),
      function("hardtanh", [](const Args& a) { return hardtanh(a[0]); }, [](Wide x) { return between(x, -1, 1); }, {-1, 1}, 0),
      function("softshrink", [](const Args& a) { return softshrink(a[0]); }, [](Wide x) { return x > 0.5L ? x - 0.5L : x < -0.5L ? x + 0.5L : x != x ? x : Wide(0); }, {-0.5, 0.5}, 2),
      function("hardshrink", [](const Args& a) { return hardshrink(a[0]); }, [](Wide x) { return x >= -0.5L && x <= 0.5L ? Wide(0) : x; }, {-0.5, 0.5}, 0),
      function("tanhshrink", [](const Args& a) { return tanhshrink(a[0]); }, [](Wide x) { return x - std::tanh(x); }, {}, 16, false),
      function("threshold", [](const Args& a) { return threshold(a[0], 0.5, 2); }, [](Wide x) { return x <= 0.5L ? Wide(2) : x; }, {0.5}, 0),
  };
  for (Row& r : list)
    if (r.name == "tanhshrink") r.magnitude = 4;  // it cancels near 0
  list.push_back({.name = "crelu", .run = [](const Args& a) { return crelu(a[0]); }, .inputs = {{.shape = {2, 3}, .low = 0.1, .high = 0.9}}, .kinds = kNumbers,
                  .whole = [](const std::vector<Plain>& in) {
                    std::vector<double> y;
                    for (int i = 0; i < 2; ++i)
                      for (int s : {1, -1})
                        for (int j = 0; j < 3; ++j) y.push_back(std::max(0.0, s * in[0].at(i, j)));
                    return y;
                  },
                  .bound = 0, .errors = {throws<IndexError>("crelu: axis 2 is outside [-2, 2) for a tensor of rank 2", [] { crelu(ones({2, 3}), 2); })}});
  list.push_back({.name = "glu", .run = [](const Args& a) { return glu(a[0]); }, .inputs = {{.shape = {2, 6}}}, .kinds = kAll, .result = Result::floating,
                  .whole = [](const std::vector<Plain>& in) {
                    std::vector<double> y;
                    for (int i = 0; i < 2; ++i)
                      for (int j = 0; j < 3; ++j) y.push_back(static_cast<double>(in[0].at(i, j) * sigmoid_of(in[0].at(i, j + 3))));
                    return y;
                  },
                  .bound = 8, .errors = {throws<ShapeError>("glu: axis -1 of [2, 3] cannot be halved; its size must be even", [] { glu(ones({2, 3})); })}});
  list.push_back({.name = "prelu", .run = [](const Args& a) { return prelu(a[0], a[1]); }, .inputs = {{.shape = {2, 3}, .kinks = {0}}, {.shape = {3}}}, .kinds = kAll,
                  .whole = [](const std::vector<Plain>& in) {
                    std::vector<double> y;
                    for (int i = 0; i < 2; ++i)
                      for (int j = 0; j < 3; ++j) y.push_back(in[0].at(i, j) > 0 ? in[0].at(i, j) : in[0].at(i, j) * in[1].v[static_cast<std::size_t>(j)]);
                    return y;
                  },
                  .bound = 1, .errors = {throws<ShapeError>("prelu: weight [2] must have one element or one per channel of x [2, 3] (axis 1)", [] { prelu(ones({2, 3}), ones({2})); })}});
  return list;
}

}  // namespace rill::optable

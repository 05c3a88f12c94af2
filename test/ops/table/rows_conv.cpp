// Convolutions by their definition, in long double.
#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

struct Steps {
  Int stride = 1, padding = 0, dilation = 1, groups = 1, output_padding = 0;
};

Values conv_of(const std::vector<Plain>& in, const Steps& s) {
  const Plain &x = in[0], &w = in[1];
  const int axes = x.shape.rank() - 2;
  Dims out{x.size(0), w.size(0)}, taps{w.size(1)};
  for (int a = 2; a < 2 + axes; ++a) out.push_back((x.size(a) + 2 * s.padding - s.dilation * (w.size(a) - 1) - 1) / s.stride + 1), taps.push_back(w.size(a));
  Values y;
  each_position(out, [&](const Dims& o) {
    long double sum = in[2].v[static_cast<std::size_t>(o[1])];
    each_position(taps, [&](const Dims& k) {
      Dims from{o[0], o[1] / (w.size(0) / s.groups) * w.size(1) + k[0]}, weight{o[1], k[0]};
      for (int a = 1; a <= axes; ++a) from.push_back(o[a + 1] * s.stride + k[a] * s.dilation - s.padding), weight.push_back(k[a]);
      sum += static_cast<long double>(value_at(x, from)) * value_at(w, weight);
    });
    y.push_back(static_cast<double>(sum));
  });
  return y;
}

/// Every element of x adds its multiple of the kernel.
Values transposed_of(const std::vector<Plain>& in, const Steps& s) {
  const Plain &x = in[0], &w = in[1];
  const int axes = x.shape.rank() - 2;
  const Int per_group = w.size(1);
  Dims out{x.size(0), per_group * s.groups}, taps{per_group};
  for (int a = 2; a < 2 + axes; ++a)
    out.push_back((x.size(a) - 1) * s.stride - 2 * s.padding + s.dilation * (w.size(a) - 1) + s.output_padding + 1), taps.push_back(w.size(a));
  std::vector<long double> y;
  each_position(out, [&](const Dims& o) { y.push_back(in[2].v[static_cast<std::size_t>(o[1])]); });
  each_position(x.shape, [&](const Dims& from) {
    each_position(taps, [&](const Dims& k) {
      Dims to{from[0], from[1] / (x.size(1) / s.groups) * per_group + k[0]}, weight{from[1], k[0]};
      bool inside = true;
      for (int a = 1; a <= axes; ++a) {
        const Int p = from[a + 1] * s.stride + k[a] * s.dilation - s.padding;
        inside &= p >= 0 && p < out[a + 1];
        to.push_back(p), weight.push_back(k[a]);
      }
      if (inside) y[offset_of(out, to)] += static_cast<long double>(value_at(x, from)) * value_at(w, weight);
    });
  });
  return Values(y.begin(), y.end());
}

using Conv = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const ConvOptions&);
using Transposed = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const ConvTransposeOptions&);

Row row(const char* name, std::function<Tensor(const Args&)> run, std::vector<Input> inputs, std::function<Values(const std::vector<Plain>&)> whole) {
  return {.name = name, .run = std::move(run), .inputs = std::move(inputs), .kinds = kNumbers, .whole = std::move(whole), .bound = 8, .magnitude = 40, .required = 2};
}
Row conv(const char* name, Conv f, Shape x, Shape w, Steps s) {
  Row r = row(name, [=](const Args& a) { return f(a[0], a[1], a[2], {.stride = s.stride, .padding = s.padding, .dilation = s.dilation, .groups = s.groups}); },
              {{.shape = x}, {.shape = w}, {.shape = {w[0]}}}, [s](const std::vector<Plain>& in) { return conv_of(in, s); });
  r.corners = {[f](const Args& a, Int k) { return f(a[0], a[1], {}, {.stride = k}); }, [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.padding = k}); },
               [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.dilation = k}); }, [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.groups = k}); }};
  return r;
}
Row transposed(const char* name, Transposed f, Shape x, Shape w, Steps s) {
  Row r = row(name, [=](const Args& a) {
    return f(a[0], a[1], a[2], {.stride = s.stride, .padding = s.padding, .output_padding = s.output_padding, .dilation = s.dilation, .groups = s.groups});
  }, {{.shape = x}, {.shape = w}, {.shape = {w[1] * s.groups}}}, [s](const std::vector<Plain>& in) { return transposed_of(in, s); });
  r.corners = {[f](const Args& a, Int k) { return f(a[0], a[1], {}, {.stride = k}); }, [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.padding = k}); },
               [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.output_padding = k}); }, [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.dilation = k}); },
               [f](const Args& a, Int k) { return f(a[0], a[1], {}, {.groups = k}); }};
  return r;
}
Row with(Row r, std::vector<Input> large, std::vector<ErrorCase> errors) {
  r.large = std::move(large), r.errors = std::move(errors);
  return r;
}

}  // namespace

std::vector<Row> rows_conv() {
  const auto x = [] { return ones({1, 2, 5}); };
  return {
      with(conv("conv1d", conv1d, {2, 2, 5}, {3, 2, 2}, {.stride = 2, .padding = 1}), {{.shape = {3, 8, 700}}, {.shape = {16, 8, 5}}, {.shape = {16}}},
           {throws<ShapeError>("conv1d: weight [3, 4, 2] expects 4 input channels, x [1, 2, 5] has 2", [x] { conv1d(x(), ones({3, 4, 2})); }),
            throws<ValueError>("conv1d: dilation -1 must be at least 1", [x] { conv1d(x(), ones({3, 2, 2}), {}, {.dilation = -1}); })}),
      with(conv("conv1d", conv1d, {1, 4, 6}, {2, 2, 2}, {.dilation = 3, .groups = 2}), {},
           {throws<ValueError>("conv1d: padding \"same\" needs stride 1, got 2; use a padding in numbers", [x] { conv1d(x(), ones({3, 2, 2}), {}, {.stride = 2, .padding = ConvPadding::same()}); })}),
      with(conv("conv2d", conv2d, {1, 2, 3, 4}, {2, 2, 2, 2}, {.padding = 1}), {{.shape = {3, 8, 40, 41}}, {.shape = {16, 8, 3, 3}}, {.shape = {16}}},
           {throws<ShapeError>("conv2d: bias [3] does not fit weight [4, 1, 3, 3]; expected [4]", [] { conv2d(ones({1, 1, 5, 5}), ones({4, 1, 3, 3}), ones({3})); }),
            throws<ValueError>("conv2d: groups is 0; it must be at least 1", [] { conv2d(ones({1, 1, 5, 5}), ones({4, 1, 3, 3}), {}, {.groups = 0}); })}),
      with(conv("conv2d", conv2d, {1, 2, 4, 4}, {4, 1, 3, 2}, {.stride = 2, .padding = 1, .groups = 2}), {},
           {throws<ShapeError>("conv2d: weight [3, 1, 1, 1] has 3 output channels, which 2 groups do not divide", [] { conv2d(ones({1, 2, 4, 4}), ones({3, 1, 1, 1}), {}, {.groups = 2}); })}),
      with(conv("conv3d", conv3d, {1, 1, 3, 2, 3}, {2, 1, 2, 2, 2}, {.padding = 1, .dilation = 2}), {{.shape = {2, 4, 12, 13, 14}}, {.shape = {6, 4, 2, 2, 2}}, {.shape = {6}}},
           {throws<ShapeError>("conv3d: takes x [N, C, spatial..] of rank 5 or [C, spatial..] of rank 4, got [2, 3]", [] { conv3d(ones({2, 3}), ones({1, 1, 1, 1, 1})); })}),
      with(transposed("conv_transpose1d", conv_transpose1d, {2, 2, 3}, {2, 3, 2}, {.stride = 2, .padding = 1, .output_padding = 1}), {{.shape = {3, 8, 300}}, {.shape = {8, 6, 5}}, {.shape = {6}}},
           {throws<ShapeError>("conv_transpose1d: x [1, 2, 0] has an empty spatial axis 2; at least one element is needed", [] { conv_transpose1d(ones({1, 2, 0}), ones({2, 1, 1})); })}),
      with(transposed("conv_transpose2d", conv_transpose2d, {1, 2, 2, 3}, {2, 2, 2, 2}, {.stride = 2, .groups = 2}), {{.shape = {3, 8, 20, 21}}, {.shape = {8, 6, 3, 3}}, {.shape = {12}}},
           {throws<ValueError>("conv_transpose2d: output_padding 2 must be smaller than stride 2 or dilation 1",
                               [] { conv_transpose2d(ones({1, 2, 3, 3}), ones({2, 1, 2, 2}), {}, {.stride = 2, .output_padding = 2}); })}),
      with(transposed("conv_transpose3d", conv_transpose3d, {1, 1, 2, 2, 2}, {1, 2, 2, 1, 2}, {.stride = 2, .dilation = 2}), {{.shape = {1, 4, 6, 7, 8}}, {.shape = {4, 3, 2, 2, 2}}, {.shape = {3}}},
           {throws<ShapeError>("conv_transpose3d: x [1, 1, 1, 1, 1] and weight [1, 1, 1, 1, 1] give size -1 on axis 2 with padding 1; at least 1 is needed",
                               [] { conv_transpose3d(ones({1, 1, 1, 1, 1}), ones({1, 1, 1, 1, 1}), {}, {.padding = 1}); })}),
  };
}

}  // namespace rill::optable

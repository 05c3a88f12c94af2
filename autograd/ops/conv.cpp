// Convolutions. Forward F(x, w), input gradient I(g, w) (a transposed convolution is I itself) and weight gradient W(g, x) are closed
// under differentiation, so that every order of derivative comes from three kernels; h is the gradient that arrives:
//   y = F(x, w): dx = I(h, w), dw = W(h, x);   z = I(g, w): dg = F(h, w), dw = W(g, h);   v = W(g, x): dg = F(x, h), dx = I(g, h).
#include <rill/ops/conv.h>

#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/record.h"
#include "autograd/window.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constexpr const char* kForward[] = {"conv1d", "conv2d", "conv3d"};
constexpr const char* kTransposed[] = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};
constexpr const char* kInput[] = {"conv1d_input_gradient", "conv2d_input_gradient", "conv3d_input_gradient"};
constexpr const char* kWeight[] = {"conv1d_weight_gradient", "conv2d_weight_gradient", "conv3d_weight_gradient"};

/// Everything that the three members of the family share. Shapes are those of the forward convolution, with a batch axis.
struct Problem {
  WindowGeometry window;
  Shape x, w, y;
};

Tensor forward(const char* op, const Problem& p, const Tensor& x, const Tensor& w, const Tensor& b = {});
Tensor input_gradient(const char* op, const Problem& p, const Tensor& g, const Tensor& w);
Tensor weight_gradient(const Problem& p, const Tensor& g, const Tensor& x);

/// The weight as the kernels of its device take it: row-major, or in the format of the other operands.
Tensor dense_weight(const Tensor& w, bool last) { return dense(w.detach(), last && kernels(w).conv_any_format); }

/// g summed over all but the channel axis.
Tensor sum_to_channels(const Tensor& g) {
  Dims axes{0};
  for (int i = 2; i < g.dim(); ++i) axes.push_back(i);
  return sum(g, axes);
}

Tensor forward(const char* op, const Problem& p, const Tensor& x, const Tensor& w, const Tensor& b) {
  const OpRange here(op, x, w, b);
  checked_numel(op, p.y, impl(x).dtype);
  const bool last = is_channels_last(x) || is_channels_last(w);
  const Tensor xd = dense(x.detach(), last), wd = dense_weight(w, last), bd = b.defined() ? dense(b.detach(), false) : b;
  Tensor out = make_dense(p.y, last, impl(x).dtype, impl(x).device);
  if (impl(out).numel) kernels(x).conv(view(xd), view(wd), b.defined() ? view(bd) : View{}, view(out), p.window);
  if (!recording(x, w) && !(b.defined() && recording(b))) return out;
  auto to_x = grad(x, [p, w = save(w)](const Tensor& g) { return input_gradient(kInput[p.window.axes - 1], p, g, w()); });
  auto to_w = grad(w, [p, x = save(x)](const Tensor& g) { return weight_gradient(p, g, x()); });
  if (!b.defined()) return record(op, std::move(out), std::move(to_x), std::move(to_w));
  return record(op, std::move(out), std::move(to_x), std::move(to_w), grad(b, [](const Tensor& g) { return sum_to_channels(g); }));
}

Tensor input_gradient(const char* op, const Problem& p, const Tensor& g, const Tensor& w) {
  const OpRange here(op, g, w);
  checked_numel(op, p.x, impl(g).dtype);
  const bool last = is_channels_last(g) || is_channels_last(w);
  const Tensor gd = dense(g.detach(), last), wd = dense_weight(w, last);
  Tensor out = make_dense(p.x, last, impl(g).dtype, impl(g).device);
  if (impl(out).numel) kernels(g).conv_input_gradient(view(gd), view(wd), view(out), p.window);
  if (!recording(g, w)) return out;
  return record(op, std::move(out), grad(g, [p, w = save(w)](const Tensor& h) { return forward(kForward[p.window.axes - 1], p, h, w()); }),
                grad(w, [p, g = save(g)](const Tensor& h) { return weight_gradient(p, g(), h); }));
}

Tensor weight_gradient(const Problem& p, const Tensor& g, const Tensor& x) {
  const OpRange here(kWeight[p.window.axes - 1], g, x);
  const bool last = is_channels_last(g) || is_channels_last(x);
  const Tensor gd = dense(g.detach(), last), xd = dense(x.detach(), last);
  Tensor out = make_tensor(p.w, impl(g).dtype, impl(g).device);
  if (impl(out).numel) kernels(g).conv_weight_gradient(view(gd), view(xd), view(out), p.window);
  if (!recording(g, x)) return out;
  return record(kWeight[p.window.axes - 1], std::move(out), grad(g, [p, x = save(x)](const Tensor& h) { return forward(kForward[p.window.axes - 1], p, x(), h); }),
                grad(x, [p, g = save(g)](const Tensor& h) { return input_gradient(kInput[p.window.axes - 1], p, g(), h); }));
}

// ---- checks -----------------------------------------------------------------------------------------------------------------------

void check_operands(const char* op, const Tensor& x, const Tensor& w, const Tensor& b, int axes, std::int64_t groups, bool transposed) {
  check_defined(op, x, "x");
  check_defined(op, w, "the weight");
  check_same_device(op, x, w);
  const Shape &xs = impl(x).shape, &ws = impl(w).shape;
  const Dtype d = impl(x).dtype;
  check<DtypeError>(d == impl(w).dtype, op, "x has dtype {} and the weight {}; convert one with .to()", d, impl(w).dtype);
  check<DtypeError>(d != Dtype::boolean, op, "bool is not supported (expected a floating or integer dtype); convert with .to()");
  check<ShapeError>(xs.rank() == axes + 1 || xs.rank() == axes + 2, op, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, xs);
  check<ShapeError>(ws.rank() == axes + 2, op, "takes a weight of rank {}, {}, got {}", axes + 2, transposed ? "[in, out / groups, kernel..]" : "[out, in / groups, kernel..]", ws);
  check<ValueError>(groups >= 1, op, "groups is {}; it must be at least 1", groups);
  check<ShapeError>(ws[0] % groups == 0, op, "weight {} has {} {} channels, which {} groups do not divide", ws, ws[0], transposed ? "input" : "output", groups);
  const std::int64_t channels = xs[xs.rank() - axes - 1], expected = transposed ? ws[0] : checked_mul(op, ws[1], groups);
  if (groups == 1) check<ShapeError>(channels == expected, op, "weight {} expects {} input channels, x {} has {}", ws, expected, xs, channels);
  else check<ShapeError>(channels == expected, op, "weight {} with {} groups expects {} input channels, x {} has {}", ws, groups, expected, xs, channels);
  for (int i = 0; i < axes; ++i) check<ShapeError>(ws[2 + i] > 0, op, "weight {} has an empty kernel; every kernel size must be at least 1", ws);
  if (!b.defined()) return;
  check_same_device(op, x, b);
  check<DtypeError>(d == impl(b).dtype, op, "x has dtype {} and the bias {}; convert one with .to()", d, impl(b).dtype);
  const std::int64_t out = transposed ? checked_mul(op, ws[1], groups) : ws[0];
  check<ShapeError>(impl(b).shape == Shape{out}, op, "bias {} does not fit weight {}; expected [{}]", impl(b).shape, ws, out);
}

bool is_16bit(const Tensor& x) { return impl(x).dtype == Dtype::float16 || impl(x).dtype == Dtype::bfloat16; }

/// Calls f with a batch axis, and without 16-bit floats where it takes two steps, each of which would round.
template <class F> Tensor normalised(const Tensor& x, const Tensor& w, const Tensor& b, int axes, F f, bool two_steps = false) {
  if (is_16bit(x) && two_steps) return normalised(x.to(float32), w.to(float32), b.defined() ? b.to(float32) : b, axes, f).to(x.dtype());
  if (impl(x).shape.rank() == axes + 1) return f(x.unsqueeze(0), w, b).squeeze(0);
  return f(x, w, b);
}

Tensor conv(int axes, const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& o) {
  if (amp::on()) [[unlikely]] return amp::low(&conv, axes, x, w, b, o);
  const char* op = kForward[axes - 1];
  const OpRange here(op, x, w, b);
  check_operands(op, x, w, b, axes, o.groups, false);
  const Shape &xs = impl(x).shape, &ws = impl(w).shape;
  const int first = xs.rank() - axes;
  Problem p;
  p.window = window(op, axes, Dims(std::span(ws.data() + 2, static_cast<std::size_t>(axes))), o.stride, o.padding, o.dilation);
  p.window.groups = o.groups;
  p.w = ws;
  p.x = p.y = Shape(axes + 2, 1);
  p.x[0] = p.y[0] = first == 2 ? xs[0] : 1;
  p.x[1] = xs[first - 1], p.y[1] = ws[0];
  for (int i = 0; i < axes; ++i) {
    const std::int64_t size = xs[first + i], reach = window_reach(op, p.window, i);
    p.x[2 + i] = size;
    if (o.padding.is_same()) {
      check<ValueError>(p.window.stride[i] == 1, op, "padding \"same\" needs stride 1, got {}; use a padding in numbers", p.window.stride[i]);
      p.window.before[i] = (reach - 1) / 2;
      p.y[2 + i] = size;
      continue;
    }
    const std::int64_t padded = checked_add(op, size, checked_mul(op, 2, p.window.before[i]));
    check<ShapeError>(padded >= reach, op, "a kernel that reaches over {} elements (weight {}, dilation {}) does not fit x {} with padding {}; axis {} has {} elements", reach, ws,
                      p.window.dilation[i], xs, p.window.before[i], first + i, padded);
    p.y[2 + i] = (padded - reach) / p.window.stride[i] + 1;
  }
  return normalised(x, w, b, axes, [&](const Tensor& x, const Tensor& w, const Tensor& b) { return forward(op, p, x, w, b); });
}

Tensor conv_transpose(int axes, const Tensor& x, const Tensor& w, const Tensor& b, const ConvTransposeOptions& o) {
  if (amp::on()) [[unlikely]] return amp::low(&conv_transpose, axes, x, w, b, o);
  const char* op = kTransposed[axes - 1];
  const OpRange here(op, x, w, b);
  check_operands(op, x, w, b, axes, o.groups, true);
  const Shape &xs = impl(x).shape, &ws = impl(w).shape;
  const int first = xs.rank() - axes;
  Problem p;
  p.window = window(op, axes, Dims(std::span(ws.data() + 2, static_cast<std::size_t>(axes))), o.stride, o.padding, o.dilation);
  p.window.groups = o.groups;
  p.w = ws;
  p.x = p.y = Shape(axes + 2, 1);
  p.x[0] = p.y[0] = first == 2 ? xs[0] : 1;
  p.y[1] = xs[first - 1], p.x[1] = checked_mul(op, ws[1], o.groups);
  check_count(op, "output_padding", o.output_padding, axes);
  for (int i = 0; i < axes; ++i) {
    const std::int64_t size = xs[first + i], reach = window_reach(op, p.window, i), extra = o.output_padding[i];
    check<ShapeError>(size > 0, op, "x {} has an empty spatial axis {}; at least one element is needed", xs, first + i);
    check<ValueError>(extra >= 0 && (extra < p.window.stride[i] || extra < p.window.dilation[i]), op, "output_padding {} must be smaller than stride {} or dilation {}", extra,
                      p.window.stride[i], p.window.dilation[i]);
    const std::int64_t full = checked_add(op, checked_add(op, checked_mul(op, size - 1, p.window.stride[i]), reach), extra);
    const std::int64_t result = full - checked_mul(op, 2, p.window.before[i]);
    check<ShapeError>(result > 0, op, "x {} and weight {} give size {} on axis {} with padding {}; at least 1 is needed", xs, ws, result, first + i, p.window.before[i]);
    p.x[2 + i] = result, p.y[2 + i] = size;
  }
  return normalised(x, w, b, axes, [&](const Tensor& x, const Tensor& w, const Tensor& b) {
    Tensor y = input_gradient(op, p, x, w);
    if (!b.defined()) return y;
    Shape channels(axes + 1, 1);
    channels[0] = impl(b).numel;
    return add(y, b.reshape(channels));
  }, b.defined());
}

}  // namespace

Tensor conv1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& o) { return conv(1, x, w, b, o); }
Tensor conv2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& o) { return conv(2, x, w, b, o); }
Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvOptions& o) { return conv(3, x, w, b, o); }
Tensor conv_transpose1d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTransposeOptions& o) { return conv_transpose(1, x, w, b, o); }
Tensor conv_transpose2d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTransposeOptions& o) { return conv_transpose(2, x, w, b, o); }
Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b, const ConvTransposeOptions& o) { return conv_transpose(3, x, w, b, o); }

}  // namespace rill

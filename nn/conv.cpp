#include <rill/nn/conv.h>

#include <rill/ops/create.h>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"
#include "nn/uniform_start.h"

namespace rill::nn {
namespace {

constexpr auto kConv = std::to_array({conv1d, conv2d, conv3d});
constexpr auto kTransposed = std::to_array({conv_transpose1d, conv_transpose2d, conv_transpose3d});
constexpr const char* kPadNames[] = {"zeros", "reflect", "replicate", "circular"};

int spatial_axes(const Tensor& weight) { return static_cast<int>(weight.dim()) - 2; }

template <class O> void check_options(const char* layer, int axes, std::int64_t in, std::int64_t out, const O& o) {
  check_size(layer, "the number of input channels", in);
  check_size(layer, "the number of output channels", out);
  check<ValueError>(o.kernel.count() > 0, layer, "no kernel size is given; write {{.kernel = 3}}");
  check_axes(layer, "kernel", o.kernel, axes, 1);
  check_axes(layer, "stride", o.stride, axes, 1);
  check_axes(layer, "padding", o.padding, axes, 0);
  check_axes(layer, "dilation", o.dilation, axes, 1);
  check_size(layer, "groups", o.groups);
  check<ValueError>(in % o.groups == 0 && out % o.groups == 0, layer, "{} groups do not divide {} input and {} output channels; both must be multiples of groups", o.groups, in, out);
}

Shape weight_shape(std::int64_t first, std::int64_t second, const PerAxis& kernel, int axes) {
  Shape shape{first, second};
  for (int i = 0; i < axes; ++i) shape.push_back(kernel[i]);
  return shape;
}

/// Whether any axis has another value than `plain`.
bool differs(const PerAxis& values, std::int64_t plain, int axes) {
  for (int i = 0; i < axes; ++i)
    if (values[i] != plain) return true;
  return false;
}

/// The options that both kinds print alike, after the channels.
template <class O> std::string window_text(const O& o, int axes, const std::string& padding) {
  std::string text = fmt::format("kernel_size={}, stride={}", repr::tuple(o.kernel, axes), repr::tuple(o.stride, axes)) + padding;
  if (differs(o.dilation, 1, axes)) text += ", dilation=" + repr::tuple(o.dilation, axes);
  return text;
}
template <class O> std::string end_text(const O& o) {
  return (o.groups == 1 ? "" : fmt::format(", groups={}", o.groups)) + (o.bias ? "" : ", bias=False");
}

}  // namespace

Conv::Conv(const char* layer, int axes, std::int64_t in, std::int64_t out, const ConvOptions& o) : options(o) {
  check_options(layer, axes, in, out, o);
  check<ValueError>(!o.padding.is_same() || !differs(o.stride, 1, axes), layer, "padding \"same\" needs stride 1, got {}; give the padding in numbers", repr::tuple(o.stride, axes));
  weight = Parameter(empty(weight_shape(out, in / o.groups, o.kernel, axes), o.tensor));
  if (o.bias) bias = Parameter(empty({out}, o.tensor));
  uniform_start(weight, bias);
}

Tensor Conv::operator()(const Tensor& input) const {
  return call(input, [&](const Tensor& x) {
    const int axes = spatial_axes(weight);
    rill::ConvOptions o{.stride = options.stride, .padding = options.padding, .dilation = options.dilation, .groups = options.groups};
    if (options.padding_mode == PadMode::constant) return kConv[static_cast<std::size_t>(axes - 1)](x, weight, bias, o);
    Dims pads;  // the last axis first
    for (int i = axes - 1; i >= 0; --i) {
      const std::int64_t total = options.padding.is_same() ? options.dilation[i] * (options.kernel[i] - 1) : 2 * options.padding[i];
      pads.push_back(total / 2), pads.push_back(total - total / 2);
    }
    o.padding = 0;
    return kConv[static_cast<std::size_t>(axes - 1)](pad(x, pads, {.mode = options.padding_mode}), weight, bias, o);
  });
}

std::int64_t Conv::flops(const Tensor&, const Tensor& y) const { return 2 * y.numel() * (weight.numel() / weight.size(0)); }

std::string Conv::describe() const {
  const int axes = spatial_axes(weight);
  std::string padding;
  if (options.padding.is_same()) padding = ", padding=same";
  else if (differs(options.padding, 0, axes)) padding = ", padding=" + repr::tuple(options.padding, axes);
  std::string text = fmt::format("{}({}, {}, ", class_name(*this), weight.size(1) * options.groups, weight.size(0)) + window_text(options, axes, padding) + end_text(options);
  if (options.padding_mode != PadMode::constant) text += fmt::format(", padding_mode={}", kPadNames[static_cast<int>(options.padding_mode)]);
  return text + ")";
}

ConvTranspose::ConvTranspose(const char* layer, int axes, std::int64_t in, std::int64_t out, const ConvTransposeOptions& o) : options(o) {
  check_options(layer, axes, in, out, o);
  check_axes(layer, "output_padding", o.output_padding, axes, 0);
  for (int i = 0; i < axes; ++i)
    check<ValueError>(o.output_padding[i] < std::max(o.stride[i], o.dilation[i]), layer, "output_padding {} must be below the stride {} or the dilation {}", o.output_padding[i], o.stride[i], o.dilation[i]);
  weight = Parameter(empty(weight_shape(in, out / o.groups, o.kernel, axes), o.tensor));
  if (o.bias) bias = Parameter(empty({out}, o.tensor));
  uniform_start(weight, bias);
}

Tensor ConvTranspose::apply(const Tensor& x, const PerAxis& output_padding) const {
  return kTransposed[static_cast<std::size_t>(spatial_axes(weight) - 1)](
      x, weight, bias, {.stride = options.stride, .padding = options.padding, .output_padding = output_padding, .dilation = options.dilation, .groups = options.groups});
}
Tensor ConvTranspose::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return apply(x, options.output_padding); });
}
Tensor ConvTranspose::operator()(const Tensor& x, const PerAxis& output_size) const {
  return call(x, [&](const Tensor& x) {
    const std::string layer = class_name(*this);
    const int axes = spatial_axes(weight);
    check_axes(layer.c_str(), "output_size", output_size, axes, 1);
    check<ShapeError>(x.dim() == axes + 1 || x.dim() == axes + 2, layer, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, x.shape());
    Dims extra;
    for (int i = 0; i < axes; ++i) {
      const std::int64_t least = (x.size(i - axes) - 1) * options.stride[i] - 2 * options.padding[i] + options.dilation[i] * (options.kernel[i] - 1) + 1;
      check<ShapeError>(output_size[i] >= least && output_size[i] < least + options.stride[i], layer, "output_size {} on axis {} is impossible for x {}; possible are {} to {}", output_size[i], i, x.shape(),
                        least, least + options.stride[i] - 1);
      extra.push_back(output_size[i] - least);
    }
    return apply(x, extra);
  });
}

std::int64_t ConvTranspose::flops(const Tensor& x, const Tensor&) const { return 2 * (x.numel() / weight.size(0)) * weight.numel(); }

std::string ConvTranspose::describe() const {
  const int axes = spatial_axes(weight);
  std::string text = fmt::format("{}({}, {}, ", class_name(*this), weight.size(0), weight.size(1) * options.groups);
  text += window_text(options, axes, differs(options.padding, 0, axes) ? ", padding=" + repr::tuple(options.padding, axes) : "");
  if (differs(options.output_padding, 0, axes)) text += ", output_padding=" + repr::tuple(options.output_padding, axes);
  return text + end_text(options) + ")";
}

}  // namespace rill::nn

#include <rill/nn/pool.h>

#include <array>
#include <limits>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

constexpr auto kMax = std::to_array({max_pool1d, max_pool2d, max_pool3d});
constexpr auto kMaxWithIndices = std::to_array({max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices});
constexpr auto kAvg = std::to_array({avg_pool1d, avg_pool2d, avg_pool3d});

constexpr auto kLp = std::to_array({lp_pool1d, lp_pool2d, lp_pool3d});
constexpr auto kUnpool = std::to_array({max_unpool1d, max_unpool2d, max_unpool3d});

const PerAxis& stride_of(const PerAxis& stride, const PerAxis& kernel) { return stride.count() ? stride : kernel; }

/// Padding may be at most half of the window, so that every window holds an element of x.
void check_window(const char* layer, int axes, const PerAxis& kernel, const PerAxis& stride, const PerAxis& padding, const PerAxis& dilation) {
  check<ValueError>(kernel.count() > 0, layer, "no kernel size is given");
  check_axes(layer, "kernel", kernel, axes, 1);
  if (stride.count()) check_axes(layer, "stride", stride, axes, 1);
  check_axes(layer, "padding", padding, axes, 0);
  check_axes(layer, "dilation", dilation, axes, 1);
  for (int i = 0; i < axes; ++i) {
    const std::int64_t reach = dilation[i] * (kernel[i] - 1) + 1;
    check<ValueError>(padding[i] <= reach / 2, layer, "padding {} is more than half of the window of {} elements; at most {} is possible", padding[i], reach, reach / 2);
  }
}

}  // namespace

MaxPool::MaxPool(const char* layer, int axes, const PerAxis& kernel, const MaxPoolOptions& o) : kernel(kernel), options(o), axes_(axes) {
  check_window(layer, axes, kernel, o.stride, o.padding, o.dilation);
}
Tensor MaxPool::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return kMax[static_cast<std::size_t>(axes_ - 1)](x, kernel, options); });
}
PoolResult MaxPool::with_indices(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return kMaxWithIndices[static_cast<std::size_t>(axes_ - 1)](x, kernel, options); });
}
std::string MaxPool::describe() const {
  return fmt::format("{}(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={})", class_name(*this), repr::given(kernel), repr::given(stride_of(options.stride, kernel)), repr::given(options.padding),
                     repr::given(options.dilation), repr::boolean(options.ceil_mode));
}

AvgPool::AvgPool(const char* layer, int axes, const PerAxis& kernel, const AvgPoolOptions& o) : kernel(kernel), options(o), axes_(axes) {
  check_window(layer, axes, kernel, o.stride, o.padding, 1);
}
Tensor AvgPool::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return kAvg[static_cast<std::size_t>(axes_ - 1)](x, kernel, options); });
}
std::string AvgPool::describe() const {
  const auto text = [&](const PerAxis& v) { return axes_ == 1 ? repr::tuple(v, 1) : repr::given(v); };  // PyTorch's AvgPool1d prints tuples
  return fmt::format("{}(kernel_size={}, stride={}, padding={})", class_name(*this), text(kernel), text(stride_of(options.stride, kernel)), text(options.padding));
}

AdaptivePool::AdaptivePool(const char* layer, int axes, Op op, const PerAxis& size) : size(size), op_(op) {
  check_axes(layer, "the output size", size, axes, std::numeric_limits<std::int64_t>::min());
  for (int i = 0; i < size.count(); ++i) check<ValueError>(size[i] >= 1 || size[i] == -1, layer, "the output size is {}; it must be at least 1, or -1 for that of the input", size[i]);
}
Tensor AdaptivePool::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return op_(x, size); });
}
std::string AdaptivePool::describe() const {
  std::string text;
  for (int i = 0; i < size.count(); ++i) text += (i ? ", " : "") + (size[i] == -1 ? "None" : std::to_string(size[i]));
  return fmt::format("{}(output_size={})", class_name(*this), size.count() == 1 ? text : "(" + text + ")");
}

LPPool::LPPool(const char* layer, int axes, double p, const PerAxis& kernel, const LpPoolOptions& o)
    : Function([=](const Tensor& x) { return kLp[static_cast<std::size_t>(axes - 1)](x, p, kernel, o); },
               fmt::format("norm_type={}, kernel_size={}, stride={}, ceil_mode={}", repr::number(p), repr::given(kernel), repr::given(o.stride), repr::boolean(o.ceil_mode))) {
  check<ValueError>(p != 0, layer, "p is 0; it must be another number");
  check_window(layer, axes, kernel, o.stride, 0, 1);
}

MaxUnpool::MaxUnpool(const char* layer, int axes, const PerAxis& kernel, const PerAxis& stride, const PerAxis& padding)
    : kernel(kernel), stride(stride_of(stride, kernel)), padding(padding), axes_(axes) {
  check_window(layer, axes, kernel, stride, padding, 1);
}
Tensor MaxUnpool::operator()(const Tensor& x, const Tensor& indices, const PerAxis& output_size) const {
  return call(x, [&](const Tensor& x) { return kUnpool[static_cast<std::size_t>(axes_ - 1)](x, indices, kernel, {.stride = stride, .padding = padding, .output_size = output_size}); });
}
std::string MaxUnpool::describe() const {
  return fmt::format("{}(kernel_size={}, stride={}, padding={})", class_name(*this), repr::tuple(kernel, axes_), repr::tuple(stride, axes_), repr::tuple(padding, axes_));
}

namespace {
void check_fractional(const char* layer, int axes, const PerAxis& kernel, const FractionalPoolOptions& o) {
  check_window(layer, axes, kernel, {}, 0, 1);
  check<ValueError>((o.size.count() == 0) != o.ratio.empty(), layer, "takes either size or ratio; give one of them");
  if (o.size.count()) check_axes(layer, "size", o.size, axes, 1);
  for (const double r : o.ratio) check<ValueError>(r > 0 && r < 1, layer, "ratio is {}; it must be between 0 and 1", r);
}
}  // namespace
FractionalMaxPool2d::FractionalMaxPool2d(const PerAxis& kernel, const FractionalPoolOptions& o) : Function([=](const Tensor& x) { return fractional_max_pool2d(x, kernel, o); }) {
  check_fractional("FractionalMaxPool2d", 2, kernel, o);
}
FractionalMaxPool3d::FractionalMaxPool3d(const PerAxis& kernel, const FractionalPoolOptions& o) : Function([=](const Tensor& x) { return fractional_max_pool3d(x, kernel, o); }) {
  check_fractional("FractionalMaxPool3d", 3, kernel, o);
}

}  // namespace rill::nn

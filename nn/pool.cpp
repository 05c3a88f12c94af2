#include <rill/nn/pool.h>

#include <array>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

constexpr auto kMax = std::to_array({max_pool1d, max_pool2d, max_pool3d});
constexpr auto kMaxWithIndices = std::to_array({max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices});
constexpr auto kAvg = std::to_array({avg_pool1d, avg_pool2d, avg_pool3d});

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

AdaptivePool::AdaptivePool(const char* layer, int axes, Op op, const PerAxis& size) : size(size), op_(op) { check_axes(layer, "the output size", size, axes, 1); }
Tensor AdaptivePool::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return op_(x, size); });
}
std::string AdaptivePool::describe() const { return fmt::format("{}(output_size={})", class_name(*this), repr::given(size)); }

}  // namespace rill::nn

#include <rill/nn/resize.h>

#include "nn/arguments.h"
#include "nn/repr.h"

namespace rill::nn {
namespace {

std::string resize_text(const ResizeOptions& o) {
  constexpr const char* kModes[] = {"nearest", "nearest-exact", "linear", "cubic", "area"};
  std::string amount;
  if (o.scale.empty()) amount = "size=" + repr::given(o.size);
  else if (o.scale.size() == 1) amount = "scale_factor=" + repr::number(o.scale[0]);
  else {
    for (const double factor : o.scale) amount += (amount.empty() ? "scale_factor=(" : ", ") + repr::number(factor);
    amount += ")";
  }
  return fmt::format("{}, mode='{}'", amount, kModes[static_cast<int>(o.mode)]);
}

void check_windows(const char* layer, const PerAxis& kernel, const UnfoldOptions& o) {
  check_axes(layer, "kernel", kernel, 2, 1);
  check_axes(layer, "dilation", o.dilation, 2, 1);
  check_axes(layer, "padding", o.padding, 2, 0);
  check_axes(layer, "stride", o.stride, 2, 1);
}
std::string window_text(const PerAxis& kernel, const UnfoldOptions& o) {
  return fmt::format("kernel_size={}, dilation={}, padding={}, stride={}", repr::given(kernel), repr::given(o.dilation), repr::given(o.padding), repr::given(o.stride));
}

}  // namespace

Upsample::Upsample(const ResizeOptions& o) : Function([o](const Tensor& x) { return interpolate(x, o); }, resize_text(o)) {
  check<ValueError>((o.size.count() == 0) != o.scale.empty(), "Upsample", "takes either size or scale; give one of them");
  for (int i = 0; i < o.size.count(); ++i) check_size("Upsample", "the size", o.size[i]);
  for (const double factor : o.scale) check_positive("Upsample", "scale", factor);
}
Unfold::Unfold(const PerAxis& kernel, const UnfoldOptions& o) : Function([=](const Tensor& x) { return unfold(x, kernel, o); }, window_text(kernel, o)) { check_windows("Unfold", kernel, o); }
Fold::Fold(const PerAxis& size, const PerAxis& kernel, const UnfoldOptions& o)
    : Function([=](const Tensor& x) { return fold(x, size, kernel, o); }, fmt::format("output_size={}, {}", repr::given(size), window_text(kernel, o))) {
  check_axes("Fold", "the output size", size, 2, 1);
  check_windows("Fold", kernel, o);
}

}  // namespace rill::nn

#include "lib/core/promotion.h"

#include <cstring>

#include "lib/core/tensor_impl.h"

namespace rill {
namespace {
int kind(Dtype d) { return d == Dtype::boolean ? 0 : is_integral(d) ? 1 : 2; }
}  // namespace

Dtype result_type(const Tensor& a, const Tensor& b) {
  const auto &x = impl(a), &y = impl(b);
  if (x.dtype == y.dtype) [[likely]] return x.dtype;
  const bool zero_x = x.shape.rank() == 0, zero_y = y.shape.rank() == 0;
  if (zero_x == zero_y) return promote(x.dtype, y.dtype);
  const Dtype strong = zero_x ? y.dtype : x.dtype, weak = zero_x ? x.dtype : y.dtype;
  return kind(weak) > kind(strong) ? weak : strong;
}

Dtype result_type(Dtype a, Scalar b) { return static_cast<int>(b.kind()) > kind(a) ? b.dtype() : a; }
Dtype result_type(const Tensor& a, Scalar b) { return result_type(impl(a).dtype, b); }

ScalarBytes::ScalarBytes(Scalar value, Dtype dtype) {
  auto put = [&](auto v) { std::memcpy(bytes, &v, sizeof v); };
  // a floating number that an integer type cannot hold saturates, NaN gives 0
  const auto whole = [&] {
    if (!value.is_floating()) return value.to_int64();
    const double d = value.to_double();
    return d != d ? 0 : d >= 9.2233720368547758e18 ? INT64_MAX : d < -9.2233720368547758e18 ? INT64_MIN : static_cast<std::int64_t>(d);
  };
  switch (dtype) {
    case Dtype::boolean: put(value.to_bool()); break;
    case Dtype::uint8: put(static_cast<std::uint8_t>(whole())); break;
    case Dtype::int8: put(static_cast<std::int8_t>(whole())); break;
    case Dtype::int16: put(static_cast<std::int16_t>(whole())); break;
    case Dtype::int32: put(static_cast<std::int32_t>(whole())); break;
    case Dtype::int64: put(whole()); break;
    case Dtype::float16: put(Half(static_cast<float>(value.to_double()))); break;
    case Dtype::bfloat16: put(BFloat16(static_cast<float>(value.to_double()))); break;
    case Dtype::float32: put(static_cast<float>(value.to_double())); break;
    case Dtype::float64: put(value.to_double()); break;
  }
}

}  // namespace rill

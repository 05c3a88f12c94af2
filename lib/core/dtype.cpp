#include <rill/core/dtype.h>

#include <atomic>
#include <utility>

#include "lib/core/check.h"

namespace rill {
namespace {
std::atomic<Dtype> g_default{Dtype::float32};
}

std::string_view to_string(Dtype d) noexcept {
  constexpr std::string_view names[kDtypeCount] = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"};
  return names[static_cast<int>(d)];
}

Dtype promote(Dtype a, Dtype b) noexcept {
  if (a == b) return a;
  if (a > b) std::swap(a, b);                                       // b has the higher kind or the larger range
  if (a == Dtype::uint8 && b == Dtype::int8) return Dtype::int16;   // neither holds the other's values
  if (a == Dtype::float16 && b == Dtype::bfloat16) return Dtype::float32;
  return b;
}

Dtype default_dtype() noexcept { return g_default.load(std::memory_order_relaxed); }
void set_default_dtype(Dtype d) {
  check<DtypeError>(is_floating(d), "set_default_dtype", "{} is not a floating dtype; use float32, float64, float16 or bfloat16", d);
  g_default = d;
}

Dtype Scalar::dtype() const noexcept {
  return kind_ == Kind::floating ? default_dtype() : kind_ == Kind::integer ? Dtype::int64 : Dtype::boolean;
}

std::string to_string(Device d) { return d.is_cpu() ? "cpu" : "cuda:" + std::to_string(d.index()); }

}  // namespace rill

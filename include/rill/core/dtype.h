// Element types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <rill/core/half.h>

namespace rill {

/// Ordered by kind: bool < integers < floating point.
enum class Dtype : std::uint8_t { boolean, uint8, int8, int16, int32, int64, float16, bfloat16, float32, float64 };
inline constexpr int kDtypeCount = 10;

inline constexpr Dtype boolean = Dtype::boolean, uint8 = Dtype::uint8, int8 = Dtype::int8, int16 = Dtype::int16,
                       int32 = Dtype::int32, int64 = Dtype::int64, float16 = Dtype::float16,
                       bfloat16 = Dtype::bfloat16, float32 = Dtype::float32, float64 = Dtype::float64;

constexpr bool is_floating(Dtype d) noexcept { return d >= Dtype::float16; }
constexpr bool is_integral(Dtype d) noexcept { return d >= Dtype::uint8 && d <= Dtype::int64; }
inline constexpr std::uint8_t kDtypeBytes[kDtypeCount] = {1, 1, 1, 2, 4, 8, 2, 2, 4, 8};
constexpr std::size_t size_of(Dtype d) noexcept { return kDtypeBytes[static_cast<int>(d)]; }
/// "float32", "bool", ...
std::string_view to_string(Dtype d) noexcept;

/// The dtype that both operands of a binary op are converted to (both are tensors with dimensions).
Dtype promote(Dtype a, Dtype b) noexcept;

/// The floating dtype of literals and of `zeros({..})` without options; float32 at start.
Dtype default_dtype() noexcept;
/// Throws DtypeError unless `d` is a floating dtype.
void set_default_dtype(Dtype d);

/// `dtype_of<float>` is `Dtype::float32`, and so on for every element type.
template <class T> inline constexpr Dtype dtype_of = T::rill_has_no_such_element_type;
template <> inline constexpr Dtype dtype_of<bool> = Dtype::boolean;
template <> inline constexpr Dtype dtype_of<std::uint8_t> = Dtype::uint8;
template <> inline constexpr Dtype dtype_of<std::int8_t> = Dtype::int8;
template <> inline constexpr Dtype dtype_of<std::int16_t> = Dtype::int16;
template <> inline constexpr Dtype dtype_of<std::int32_t> = Dtype::int32;
template <> inline constexpr Dtype dtype_of<std::int64_t> = Dtype::int64;
template <> inline constexpr Dtype dtype_of<long long> = Dtype::int64;
template <> inline constexpr Dtype dtype_of<Half> = Dtype::float16;
template <> inline constexpr Dtype dtype_of<BFloat16> = Dtype::bfloat16;
template <> inline constexpr Dtype dtype_of<float> = Dtype::float32;
template <> inline constexpr Dtype dtype_of<double> = Dtype::float64;

}  // namespace rill

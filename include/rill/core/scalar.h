// A plain number next to tensors: `1 - x`, `clamp(x, 0, 1)`.
#pragma once

#include <concepts>
#include <cstdint>

#include <rill/core/dtype.h>

namespace rill {

/// A tagged bool, integer or floating value. It takes part in type promotion with its kind only (see README, "Dtypes").
class Scalar {
 public:
  enum class Kind : std::uint8_t { boolean, integer, floating };
  constexpr Scalar() noexcept = default;
  constexpr Scalar(bool v) noexcept : i_(v), kind_(Kind::boolean) {}
  template <std::integral I> constexpr Scalar(I v) noexcept : i_(static_cast<std::int64_t>(v)), kind_(Kind::integer) {}
  template <std::floating_point F> constexpr Scalar(F v) noexcept : d_(static_cast<double>(v)), kind_(Kind::floating) {}
  constexpr Scalar(Half v) noexcept : d_(static_cast<float>(v)), kind_(Kind::floating) {}
  constexpr Scalar(BFloat16 v) noexcept : d_(static_cast<float>(v)), kind_(Kind::floating) {}

  constexpr Kind kind() const noexcept { return kind_; }
  constexpr bool is_floating() const noexcept { return kind_ == Kind::floating; }
  constexpr double to_double() const noexcept { return is_floating() ? d_ : static_cast<double>(i_); }
  /// Truncates a floating value; the caller has checked its range.
  constexpr std::int64_t to_int64() const noexcept { return is_floating() ? static_cast<std::int64_t>(d_) : i_; }
  constexpr bool to_bool() const noexcept { return is_floating() ? d_ != 0 : i_ != 0; }
  /// The dtype of a tensor made from this number alone: bool, int64 or the default floating dtype.
  Dtype dtype() const noexcept;

 private:
  union {
    double d_;
    std::int64_t i_ = 0;
  };
  Kind kind_ = Kind::integer;
};

}  // namespace rill

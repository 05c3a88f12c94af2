// Elementwise slots.
#pragma once

#include <array>
#include <span>

#include "backends/api/functors/binary.h"
#include "backends/api/functors/unary.h"
#include "backends/api/view.h"

namespace rill {

/// One contiguous piece of an elementwise op: out[i] = f(in[0][i], ...). Operands hold the slot's compute dtype; the operands
/// named in `scalars` (bit k: in[k]) are one value. The output holds the functor's result (bool for comparisons).
struct MapArgs {
  void* out;
  const void* in[3];
  std::int64_t n;
  unsigned scalars;
};
using MapFn = void (*)(const void* functor, const MapArgs&);
using MapSlots = std::array<MapFn, kDtypeCount>;  // by compute dtype; null: not supported
template <class List> using MapTable = std::array<MapSlots, List::size>;

/// y[i] = x[i] converted, contiguous.
using CastFn = void (*)(const void* x, void* y, std::int64_t n);
/// y[j * y_row + i] = x[i * x_row + j] for i < rows, j < columns; rows are so many elements apart.
using TransposeFn = void (*)(const void* x, std::int64_t x_row, void* y, std::int64_t y_row, std::int64_t rows, std::int64_t columns);

/// Everything about one elementwise call besides the operands.
struct MapSpec {
  const MapSlots* slots;
  const void* functor;
  Dtype compute;       // operands are converted to this
  Dtype result;        // what the slot writes: compute, or bool
  std::int64_t grain;  // elements per task
  unsigned numbers = 0;  // bit k: input k is one value in host memory, wherever the other operands are
};

struct MapKernels {
  MapTable<fn::Unary> unary{}, unary_grad{};  // unary_grad reads g, x, y
  MapTable<fn::Binary> binary{};
  MapTable<fn::Compare> compare{};
  MapTable<fn::Ternary> ternary{};
  MapSlots where{};                           // condition bytes (0 or 1) staged in the compute dtype's slot: in[0] is bool
  std::array<std::array<CastFn, kDtypeCount>, kDtypeCount> cast{};  // [from][to]
  std::array<TransposeFn, 4> transpose{};      // elements of 1, 2, 4, 8 bytes

  /// Runs an elementwise call over strided, broadcast operands of any dtype. `inputs` broadcast to `out`.
  void (*map)(const MapSpec&, const View& out, std::span<const View> inputs) = nullptr;
  /// Copies (and converts) between two views on this device; `from` broadcasts to `to`.
  void (*copy)(const View& from, const View& to) = nullptr;
  /// Writes one value, of the dtype of `to` and in host memory, to every element.
  void (*fill)(const void* value, const View& to) = nullptr;
};

}  // namespace rill

#include "backends/cpu/kernels/transpose.h"

#include "backends/api/kernels/map.h"
#include "backends/cpu/kernels/fill.h"

namespace rill::cpu::RILL_ARCH {
namespace {

/// Tiles whose columns are whole cache lines of the result and whose rows are a few lines of the operand.
template <class T> void transpose(const void* from, std::int64_t from_row, void* to, std::int64_t to_row, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t line = 64 / sizeof(T), wide = 4 * line;
  const T* x = static_cast<const T*>(from);
  T* y = static_cast<T*>(to);
  for (std::int64_t i = 0; i < rows; i += line)
    for (std::int64_t j = 0; j < columns; j += wide)
      transpose_tile(x + i * from_row + j, from_row, y + j * to_row + i, to_row, rows - i < line ? rows - i : line, columns - j < wide ? columns - j : wide);
}

}  // namespace

void fill_transpose(MapKernels& k) {
  k.transpose = {&transpose<std::uint8_t>, &transpose<std::uint16_t>, &transpose<std::uint32_t>, &transpose<std::uint64_t>};
}

}  // namespace rill::cpu::RILL_ARCH

// Copies of operands, row-major or channels-last, for the time of a scope.
#pragma once

#include <optional>
#include <vector>

#include "backends/api/kernels/map.h"
#include "backends/api/view.h"
#include "backends/cuda/kernels/runtime.h"

namespace rill::RILL_GPU {

/// Copies and fills without a look at the whole table (copy.cu).
const MapKernels& copies();

class Dense {
 public:
  /// Memory for elements of such sizes; with `last`, axis 1 is the innermost.
  View make(Dtype dtype, const std::int64_t* sizes, int rank, bool last = false) {
    sizes_.assign(sizes, sizes + rank);
    strides_.resize(static_cast<std::size_t>(rank));
    std::int64_t numel = 1;
    const auto place = [&](int a) { strides_[static_cast<std::size_t>(a)] = numel, numel *= sizes[a]; };
    if (last) place(1);
    for (int a = rank - 1; a >= 0; --a)
      if (!last || a != 1) place(a);
    memory_.emplace(numel * static_cast<std::int64_t>(size_of(dtype)));
    return {memory_->as<void>(), dtype, rank, sizes_.data(), strides_.data(), numel, !last};
  }
  View copy_of(const View& v, bool last = false) {
    const View dense = make(v.dtype, v.sizes, v.rank, last);
    copies().copy(v, dense);
    return dense;
  }

 private:
  std::vector<std::int64_t> sizes_, strides_;
  std::optional<Scratch> memory_;
};

}  // namespace rill::RILL_GPU

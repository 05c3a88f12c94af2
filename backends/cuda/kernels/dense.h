// Row-major copies of operands for the time of a scope.
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
  /// Memory for row-major elements of such sizes.
  View make(Dtype dtype, const std::int64_t* sizes, int rank) {
    sizes_.assign(sizes, sizes + rank);
    strides_.resize(static_cast<std::size_t>(rank));
    std::int64_t numel = 1;
    for (int a = rank - 1; a >= 0; --a) strides_[static_cast<std::size_t>(a)] = numel, numel *= sizes[a];
    memory_.emplace(numel * static_cast<std::int64_t>(size_of(dtype)));
    return {memory_->as<void>(), dtype, rank, sizes_.data(), strides_.data(), numel, true};
  }
  View copy_of(const View& v) {
    const View dense = make(v.dtype, v.sizes, v.rank);
    copies().copy(v, dense);
    return dense;
  }

 private:
  std::vector<std::int64_t> sizes_, strides_;
  std::optional<Scratch> memory_;
};

}  // namespace rill::RILL_GPU

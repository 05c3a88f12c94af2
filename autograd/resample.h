// Linear maps along single axes, given by sparse matrices: average pools, interpolation.
#pragma once

#include <memory>
#include <vector>

#include <rill/core/tensor.h>

#include "backends/api/kernels/conv.h"

namespace rill {

/// A sparse matrix [rows, columns] and its transpose.
struct AxisMap {
  struct Half {
    std::vector<std::int64_t> offsets{0}, indices;
    std::vector<double> weights;
    std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    AxisWeights view() const { return {rows(), offsets.data(), indices.data(), weights.data()}; }
    void entry(std::int64_t index, double weight) { indices.push_back(index), weights.push_back(weight); }
    void end_row() { offsets.push_back(static_cast<std::int64_t>(indices.size())); }
  };
  std::int64_t columns;
  Half forward, adjoint;

  AxisMap(std::int64_t columns, Half rows);
};
using AxisMaps = std::vector<std::pair<int, std::shared_ptr<const AxisMap>>>;  // axis and its map

/// Applies the maps of different axes one after the other (`transposed`: their adjoints). x floating; 16-bit results are rounded once.
Tensor resample(const char* op, const Tensor& x, const AxisMaps& maps, bool transposed = false);

}  // namespace rill

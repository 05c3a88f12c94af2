// The two linear maps behind every op that reads or writes by index: rows taken from positions of some neighbouring axes, and rows
// put there. They are each other's gradients, so both can be differentiated any number of times.
#pragma once

#include <span>
#include <vector>

#include "autograd/elementwise.h"
#include "lib/core/checked.h"

namespace rill {

/// One index tensor and the axis that it walks.
struct AxisIndex {
  Tensor index;         // int64
  std::int64_t axis;    // as the caller counts, for messages
  std::int64_t size;    // of that axis
};

/// The values of an index tensor as int64; DtypeError for other than int32 and int64.
Tensor index_values(const char* op, const Tensor& index);

/// Where an index points: axes first..first+axes of a tensor of `shape`, merged into one, are replaced by axes of shape `picks`,
/// whose element k stands at `at[k]` of the merged axis.
struct Places {
  Shape shape;
  int first = 0, axes = 1;
  Shape picks;
  Tensor at;  // int64 [numel of picks], checked, seen by nobody else
  std::int64_t merged_size() const;
  Shape selected_shape() const;
};

/// Places of some neighbouring axes under broadcast indices. IndexError names the first value outside.
Places places(const char* op, const Tensor& x, int first, std::span<const AxisIndex> indices, bool wrap);
/// Places of single elements: out[i][j] is x at [i][j] with the coordinate on `axis` replaced by index[i][j].
Places places_along(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index);

/// x at the places.
Tensor take_rows(const char* op, const Tensor& x, const Places& p);
/// Zeros with the rows of g added in index order at the places.
Tensor spread_rows(const char* op, const Tensor& g, const Places& p);
/// A copy of x with source set or added there. Of several rows for one place the last is set, and only that one gets a gradient.
Tensor put_rows(const char* op, const Tensor& x, const Places& p, const Tensor& source, bool accumulate);
/// The same, in place and off the tape. Any Combine.
void write_rows(const Tensor& x, const Places& p, const Tensor& source, Combine combine);

}  // namespace rill

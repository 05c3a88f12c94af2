// Values put back where maxima were found.
#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/pool.h>
#include <rill/ops/view.h>

#include "autograd/window.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

Tensor unpool(const char* op, int axes, const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& o) {
  const OpRange here(op, x, indices);
  check_defined(op, x);
  check_defined(op, indices, "indices");
  check<DtypeError>(x.dtype() != Dtype::boolean, op, "bool is not supported (expected a floating or integer dtype); convert with .to()");
  check<DtypeError>(indices.dtype() == Dtype::int64, op, "indices have dtype {}, expected int64", indices.dtype());
  const Shape& s = x.shape();
  check<ShapeError>(s.rank() == axes + 1 || s.rank() == axes + 2, op, "takes x [N, C, spatial..] of rank {} or [C, spatial..] of rank {}, got {}", axes + 2, axes + 1, s);
  check<ShapeError>(indices.shape() == s, op, "indices have shape {}, x {}; they must be equal", indices.shape(), s);
  const WindowGeometry w = window(op, axes, kernel, o.stride.count() ? o.stride : kernel, o.padding, 1);
  if (o.output_size.count()) check_count(op, "output_size", o.output_size, axes);
  const int first = s.rank() - axes;
  Shape shape = s, flat, flat_out;
  std::int64_t places = 1, positions = 1;
  for (int i = 0; i < axes; ++i) {
    const std::int64_t usual = checked_add(op, checked_mul(op, s[first + i] - 1, w.stride[i]), w.kernel[i]) - checked_mul(op, 2, w.before[i]);
    const std::int64_t size = o.output_size.count() ? o.output_size[i] : usual;
    check<ShapeError>(size > 0 && size > usual - w.stride[i] && size < usual + w.stride[i], op, "output size {} on axis {} does not fit; windows of x {} give {}, and it may differ by less than the stride {}", size,
                      first + i, s, usual, w.stride[i]);
    shape[first + i] = size;
    places *= s[first + i], positions = checked_mul(op, positions, size);
  }
  checked_numel(op, shape, x.dtype());
  for (int i = 0; i < first; ++i) flat.push_back(s[i]), flat_out.push_back(s[i]);
  flat.push_back(places), flat_out.push_back(positions);
  const Tensor empty = zeros(flat_out, {.dtype = x.dtype(), .device = x.device()});
  return scatter(empty, first, indices.reshape(flat), x.reshape(flat)).reshape(shape);
}

}  // namespace

Tensor max_unpool1d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& o) { return unpool("max_unpool1d", 1, x, indices, kernel, o); }
Tensor max_unpool2d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& o) { return unpool("max_unpool2d", 2, x, indices, kernel, o); }
Tensor max_unpool3d(const Tensor& x, const Tensor& indices, const PerAxis& kernel, const MaxUnpoolOptions& o) { return unpool("max_unpool3d", 3, x, indices, kernel, o); }

}  // namespace rill

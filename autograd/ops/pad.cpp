// Padding. A constant is filled in around a copy; every other mode selects elements that are there.
#include <rill/ops/pad.h>

#include <rill/ops/index.h>
#include <rill/ops/view.h>

#include <algorithm>

#include "autograd/binary.h"
#include "autograd/record.h"
#include "backends/api/backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

using Int = std::int64_t;

struct Sides { Int before, after; };
Sides sides(const Dims& pads, int rank, int axis) {
  const int k = 2 * (rank - 1 - axis);
  return k < pads.rank() ? Sides{pads[k], pads[k + 1]} : Sides{0, 0};
}

Dims opposite(Dims pads) {
  for (Int& p : pads) p = -p;
  return pads;
}

Tensor pad_constant(const Tensor& x, const Dims& pads, Scalar value, const Shape& shape) {
  const Shape& s = impl(x).shape;
  const int rank = s.rank();
  const Dtype d = impl(x).dtype;
  Tensor y = make_tensor(shape, d, impl(x).device);
  const Kernels& k = kernels(x);
  k.copy(view(expand(constant(value, d, impl(x).device), shape)), view(y));
  Shape common = s;
  Int from = 0, to = 0;
  for (int a = 0; a < rank; ++a) {
    const auto [before, after] = sides(pads, rank, a);
    const Int first = std::max<Int>(0, -before), last = std::min(s[a], s[a] + after);
    common[a] = std::max<Int>(0, last - first);
    from += first * impl(x).strides[a], to += std::max<Int>(0, before) * impl(y).strides[a];
  }
  if (std::all_of(common.begin(), common.end(), [](Int n) { return n > 0; }))
    k.copy(view(make_alias(x, common, impl(x).strides, from)), view(make_alias(y, common, impl(y).strides, to)));
  return record("pad", std::move(y), grad(x, [back = opposite(pads)](const Tensor& g) { return pad(g, back); }));
}

/// Where position p of the padded axis, counted from the first element of x, takes its element.
Int source(PadMode mode, Int p, Int size) {
  if (mode == PadMode::circular) return p < 0 ? p + size : p >= size ? p - size : p;
  if (mode == PadMode::replicate) return std::clamp<Int>(p, 0, size - 1);
  return p < 0 ? -p : p >= size ? 2 * (size - 1) - p : p;
}

}  // namespace

Tensor pad(const Tensor& x, const Dims& pads, const PadOptions& o) {
  const OpRange here("pad", x);
  check_defined("pad", x);
  const Shape& s = impl(x).shape;
  const int rank = s.rank();
  check<ShapeError>(pads.rank() % 2 == 0 && pads.rank() <= 2 * rank, "pad", "pads {} for x {}; expected a pair for each of at most {} axes, the last axis first", pads, s, rank);
  Shape shape = s;
  for (int a = 0; a < rank; ++a) {
    const auto [before, after] = sides(pads, rank, a);
    shape[a] = checked_add("pad", checked_add("pad", s[a], before), after);
    check<ShapeError>(shape[a] >= 0, "pad", "pads {}, {} crop axis {} of {} below 0 elements", before, after, a, s);
    if (o.mode == PadMode::constant || (before == 0 && after == 0)) continue;
    const Int most = o.mode == PadMode::reflect ? s[a] - 1 : o.mode == PadMode::circular ? s[a] : std::numeric_limits<Int>::max();
    check<ShapeError>(s[a] > 0, "pad", "axis {} of {} is empty; only constant padding fits", a, s);
    check<ShapeError>(before <= most && after <= most, "pad", "pads {}, {} are too large for axis {} of {}; {} padding takes at most {}", before, after, a, s,
                      o.mode == PadMode::reflect ? "reflect" : "circular", most);
  }
  checked_numel("pad", shape, impl(x).dtype);
  if (o.mode == PadMode::constant) return pad_constant(x, pads, o.value, shape);
  Tensor y = x;
  for (int a = 0; a < rank; ++a) {
    const auto [before, after] = sides(pads, rank, a);
    if (before == 0 && after == 0) continue;
    Tensor places = make_tensor({shape[a]}, Dtype::int64, Device::cpu());
    Int* p = static_cast<Int*>(places.data_ptr());
    for (Int i = 0; i < shape[a]; ++i) p[i] = source(o.mode, i - before, s[a]);
    y = index_select(y, a, places.to(impl(x).device));
  }
  return y;
}

}  // namespace rill

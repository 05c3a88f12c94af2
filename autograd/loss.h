// What losses share: checked operands in the dtype that they compute in, and reductions.
#pragma once

#include <rill/ops/loss.h>
#include <rill/ops/reduce.h>

#include "autograd/binary.h"
#include "autograd/elementwise.h"

namespace rill {

inline Tensor wide(const Tensor& t) { return t.to(compute_dtype(t.dtype())); }

/// The input in the dtype that losses compute in.
inline Tensor input_of(const char* op, const Tensor& x) {
  check_defined(op, x);
  check<DtypeError>(is_floating(x.dtype()), op, "{} is not supported (expected a floating dtype); convert with .to(float32)", x.dtype());
  return wide(x);
}
/// A second operand; integers and bool become floating.
inline Tensor other_of(const char* op, const char* name, const Tensor& t, const Tensor& input) {
  check_defined(op, t, name);
  check_same_device(op, input, t);
  return is_floating(t.dtype()) ? wide(t) : t.to(compute_dtype(input.dtype()));
}
inline Tensor target_of(const char* op, const Tensor& target, const Tensor& input) {
  const Tensor t = other_of(op, "the target", target, input);
  check<ShapeError>(t.shape() == input.shape(), op, "the target has shape {}, the input {}; they must be equal, expand or reshape one", t.shape(), input.shape());
  return t;
}
/// A factor that broadcasts to the input.
inline Tensor weight_of(const char* op, const char* name, const Tensor& weight, const Tensor& input) {
  if (!weight.defined()) return weight;
  const Tensor w = other_of(op, name, weight, input);
  check<ShapeError>(broadcast_shapes(w.shape(), input.shape(), op) == input.shape(), op, "{} has shape {}, which does not broadcast to the input {}", name, w.shape(), input.shape());
  return w;
}

inline Tensor reduced(const Tensor& loss, Reduction r) { return r == Reduction::none ? loss : r == Reduction::sum ? sum(loss) : mean(loss); }
/// Reduced and back in the dtype of the input.
inline Tensor finish(const Tensor& loss, Reduction r, const Tensor& input) {
  const Tensor out = reduced(loss, r);
  return input.dtype() == compute_dtype(input.dtype()) ? out : out.to(input.dtype());
}

}  // namespace rill

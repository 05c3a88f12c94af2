// In-place forms.
#pragma once

#include "autograd/node.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill {

/// Everything that must hold before `x` is overwritten: not a leaf that requires grad (while recording), no stride-0 axis,
/// and the result's kind of dtype not above that of x. `result_shape` must equal the shape of x.
void check_in_place(const char* op, const Tensor& x, const Shape& result_shape, Dtype result);
/// Bumps the version and makes `x` the owner of `value`'s history; the data has been written.
void adopt_history(const Tensor& x, const Tensor& value);
/// x with its present history, for the out-of-place op whose value is about to overwrite x: an alias, or a copy when the op's
/// gradient reads x (`read`) and would find the new value.
Tensor alias_before_write(const Tensor& x, bool read = false);
/// True when a and b share memory but are not the same elements in the same order.
bool overlap_partly(const Tensor& a, const Tensor& b);
/// x = value, with broadcasting and conversion, recorded.
const Tensor& assign(const Tensor& x, const Tensor& value);

/// x = f(x) through the out-of-place op f, recorded; while recording f gets a copy, because its gradient may read what is overwritten.
template <class F> const Tensor& rewrite(const char* op, const Tensor& x, F f) {
  const OpRange here(op, x);
  check_defined(op, x);
  check_in_place(op, x, impl(x).shape, impl(x).dtype);
  const Tensor value = f(alias_before_write(x, thread_state.grad_enabled && x.requires_grad()));
  check_in_place(op, x, impl(value).shape, impl(value).dtype);
  return assign(x, value);
}

/// The pattern of every in-place op. While recording: the out-of-place op runs on the tape and its value and history are moved
/// into x. Otherwise `write(x, dtype)` runs the kernel straight into x.
template <class Record, class Write>
Tensor in_place(const char* op, const Tensor& x, Dtype result, bool recorded, Record compute, Write write) {
  check_in_place(op, x, impl(x).shape, result);
  if (recorded) return assign(x, compute());
  write(x, impl(x).dtype);
  adopt_history(x, {});
  return x;
}

}  // namespace rill

// State that is saved and loaded. Numbers on the host are 0-dim tensors, so that they go with the rest.
#pragma once

#include <rill/autograd/grad_mode.h>
#include <rill/core/named_tensors.h>
#include <rill/ops/create.h>

#include "lib/core/tensor_impl.h"

namespace rill::optim {

/// How many updates there were: int64, from 0.
inline Tensor counter() { return zeros({}, {.dtype = int64}); }
/// The number of the update that begins now, from 1.
inline std::int64_t advance(const Tensor& counter) {
  bump_version(counter);
  return ++*static_cast<std::int64_t*>(counter.data_ptr());
}
inline std::int64_t count(const Tensor& counter) { return *static_cast<const std::int64_t*>(counter.data_ptr()); }

/// A number that changes from update to update: float64.
inline Tensor number(double start) { return full({}, start, {.dtype = float64}); }
inline double value(const Tensor& number) { return *static_cast<const double*>(number.data_ptr()); }
/// Puts another value in its place and returns that.
inline double set(const Tensor& number, double value) {
  bump_version(number);
  return *static_cast<double*>(number.data_ptr()) = value;
}
/// A product of factors, with one more.
inline double multiply(const Tensor& product, double factor) { return set(product, value(product) * factor); }

/// Copies saved values into `mine`; ValueError lists every difference, and then nothing is changed.
inline void load_into(const NamedTensors& mine, const NamedTensors& given, const char* op = "load") {
  const auto values = match(op, mine, given);
  const NoGrad off;
  for (std::size_t i = 0; i < mine.size(); ++i) mine[i].second.copy_(values[i]);
}

}  // namespace rill::optim

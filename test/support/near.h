// Small things that the tests of optimizers share.
#pragma once

#include "test/support/catch.h"

#include <cmath>
#include <vector>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>

namespace rill {

inline Tensor leaf(const Tensor& t) { return t.requires_grad_(); }
inline std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }
inline void set_values(const Tensor& t, const Tensor& v) {
  const NoGrad off;
  t.copy_(v);
}
inline void check_near(const Tensor& t, const std::vector<double>& expected, double tolerance = 1e-12) {
  const auto v = values(t);
  REQUIRE(v.size() == expected.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    if (!(std::abs(v[i] - expected[i]) <= tolerance)) FAIL_CHECK("element " << i << " is " << v[i] << ", expected " << expected[i]);
}

}  // namespace rill

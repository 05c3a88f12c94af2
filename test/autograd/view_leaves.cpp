#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

using namespace rill;

TEST_CASE("a view that becomes a leaf stays one", "[autograd][view]") {
  const Tensor x = arange(6.).reshape({2, 3});  // a view of the range
  x.requires_grad_();
  CHECK_THROWS_AS(x(0) = 1., GradError);  // a view of a leaf cannot be written while recording
  {
    NoGrad off;
    x(0) = 1.;
  }
  CHECK(x.is_leaf());
  sum(x * x).backward();
  CHECK(x.grad().to_vector<float>() == std::vector<float>{2, 2, 2, 6, 8, 10});
}

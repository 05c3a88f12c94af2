// Golden values: test/oracle/inplace_values.py.
#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {
using Values = std::vector<double>;
Values values(const Tensor& t) { return t.to_vector<double>(); }
Tensor grid() { return arange(1., 7.).reshape({2, 3}).requires_grad_(); }
}  // namespace

TEST_CASE("writing to views updates the history of the base", "[autograd][inplace]") {
  {
    const Tensor x = grid(), b = x * 2;
    b[0].mul_(3);
    (b * b).sum().backward();
    CHECK(values(b) == Values{6, 12, 18, 8, 10, 12});
    CHECK(values(x.grad()) == Values{72, 144, 216, 32, 40, 48});
  }
  {
    const Tensor x = grid(), b = x * 2, v = b.select(1, 1);  // a view made before the write sees it
    b.mul_(3);
    (v * v).sum().backward();
    CHECK(values(v) == Values{12, 30});
    CHECK(values(x.grad()) == Values{0, 144, 0, 0, 360, 0});
  }
  {
    const Tensor x = arange(1., 5.).requires_grad_(), b = x * 1, a = b.narrow(0, 0, 3), c = b.narrow(0, 1, 3);
    a.mul_(2);
    c.mul_(a.detach().clone());
    (b * b).sum().backward();
    CHECK(values(b) == Values{2, 8, 24, 24});
    CHECK(values(a) == Values{2, 8, 24});
    CHECK(values(x.grad()) == Values{8, 64, 384, 288});
  }
  {
    const Tensor x = grid(), w = tensor({10., 20., 30.}).requires_grad_(), b = x * x;
    b[1].copy_(w);
    (b * b * b).sum().backward();
    CHECK(values(x.grad()) == Values{6, 192, 1458, 0, 0, 0});
    CHECK(values(w.grad()) == Values{300, 1200, 2700});
  }
  {
    const Tensor x = grid(), b = x * 2;
    b.t().narrow(0, 1, 2).select(1, 0).add_(5);
    (b * b * b).sum().backward();
    CHECK(values(b) == Values{2, 9, 11, 8, 10, 12});
    CHECK(values(x.grad()) == Values{24, 486, 726, 384, 600, 864});
  }
}

TEST_CASE("a constant that receives a tracked value joins the tape", "[autograd][inplace]") {
  const Tensor b = zeros({4}), w = tensor({1., 2.}).requires_grad_();
  b(Slice(1, 3)) = w * w;
  CHECK(b.requires_grad());
  (b * b).sum().backward();
  CHECK(values(b) == Values{0, 1, 4, 0});
  CHECK(values(w.grad()) == Values{4, 32});
}

TEST_CASE("second derivatives pass through writes", "[autograd][inplace]") {
  const Tensor x = tensor({1., 2., 3.}).requires_grad_(), b = x * x;
  b.narrow(0, 1, 2).mul_(x.narrow(0, 0, 2));
  const Tensor g = grad({(b * b).sum()}, {x}, {}, {.create_graph = true})[0];
  CHECK(values(g) == Values{36, 356, 432});
  CHECK(values(grad({(g * g).sum()}, {x})[0]) == Values{48736, 527376, 680832});
}

TEST_CASE("overwritten parts get no gradient", "[autograd][inplace]") {
  const Tensor x = arange(1., 5.).requires_grad_(), b = x * 3;
  b.narrow(0, 2, 2).zero_();
  (b * arange(4.)).sum().backward();
  CHECK(values(x.grad()) == Values{0, 3, 0, 0});
  const Tensor y = tensor({2.}).requires_grad_(), e = y.expand({3}).clone();
  e[1].fill_(7);
  (e * e).sum().backward();
  CHECK(values(y.grad()) == Values{8});
  const Tensor z = y * 2;
  z.fill_(1);
  CHECK(((z * y).sum().backward(), values(y.grad())) == Values{9});
}

TEST_CASE("writes that would break the tape are refused", "[autograd][inplace]") {
  const Tensor x = grid();
  CHECK_THROWS_WITH(x.add_(1), "add: float32 [2, 3] is a leaf that requires grad and cannot be written in place while recording; use NoGrad or an out-of-place op");
  CHECK_THROWS_WITH(x[0].mul_(2), "mul: float32 [3] is a view of a leaf that requires grad and cannot be written in place while recording; use NoGrad");
  CHECK_THROWS_AS(ones({1}).expand({3}).add_(1), ValueError);
  CHECK_THROWS_AS(ones({3}).add_(ones({2, 3})), ShapeError);
  CHECK_THROWS_AS(ones({3}, {.dtype = int64}).add_(1.5), DtypeError);
  {
    NoGrad off;
    x.add_(1);
  }
  CHECK(x.is_leaf());
  CHECK(values(x) == Values{2, 3, 4, 5, 6, 7});
}

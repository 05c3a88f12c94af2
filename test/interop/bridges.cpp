#include "test/support/catch.h"

#include <rill/interop/fmt.h>
#include <rill/interop/xtensor.h>
#include <rill/rill.h>

#include <xtensor/xmath.hpp>

using namespace rill;

TEST_CASE("an xtensor view shares memory with the tensor, whatever its strides", "[interop][xtensor]") {
  const Tensor t = arange(6.0).reshape({2, 3});
  auto view = as_xtensor<float>(t.t());
  CHECK(view.shape()[0] == 3);
  CHECK(view(2, 1) == 5.0f);
  view(0, 1) = 42.0f;
  CHECK(t[1][0].item<float>() == 42.0f);
  CHECK_THROWS_AS(as_xtensor<double>(t), DtypeError);
}

TEST_CASE("a tensor is made from an xtensor expression", "[interop][xtensor]") {
  const xt::xarray<double> a = {{0.0, 1.0}, {2.0, 3.0}};
  const Tensor t = from_xtensor(a * 2 + 1);
  CHECK(t.dtype() == float64);
  CHECK(t.shape() == Shape{2, 2});
  CHECK(t.to_vector<double>() == std::vector<double>{1, 3, 5, 7});
  xt::xarray<float> owned = {1.0f, 2.0f};
  const float* memory = owned.data();
  CHECK(from_xtensor(std::move(owned)).data<float>() == memory);
}

TEST_CASE("fmt formats tensors, shapes, dtypes and devices", "[interop][fmt]") {
  CHECK(fmt::format("{}", arange(3)) == "tensor([0, 1, 2])");
  CHECK(fmt::format("{} {} {}", Shape{2, 3}, float32, Device::cuda(1)) == "[2, 3] float32 cuda:1");
}

// Values of the layers that PyTorch has are in test/nn/layer_goldens.cpp.
#include "test/support/catch.h"

#include <rill/nn/activation.h>
#include <rill/ops/create.h>

using namespace rill;

TEST_CASE("CReLU doubles its axis", "[nn][activation]") {
  const nn::CReLU last, first(0);
  CHECK(last(tensor({{1., -2.}})).to_vector<float>() == std::vector<float>{1, 0, 0, 2});
  CHECK(first(tensor({{1., -2.}})).shape() == Shape{2, 2});
  CHECK(last.describe() == "CReLU(dim=-1)");
}

TEST_CASE("a function of one's own is a layer", "[nn][activation]") {
  struct Scale : nn::Function {
    explicit Scale(double factor) : Function([=](const Tensor& x) { return x.mul_(factor); }, "factor=2") {}
  };
  const Scale twice(2);
  CHECK(twice(tensor({1., 2.})).to_vector<float>() == std::vector<float>{2, 4});
  CHECK(twice.describe() == "Scale(factor=2)");
}

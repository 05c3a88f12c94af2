// Values are in test/nn/layer_goldens.cpp.
#include "test/support/catch.h"

#include <rill/nn/embedding.h>
#include <rill/ops/create.h>
#include <rill/ops/reduce.h>

using namespace rill;

TEST_CASE("a pretrained table is taken over and frozen until it is told to train", "[nn][embedding]") {
  const Tensor table = tensor({{1., 2.}, {3., 4.}}), index = tensor({1, 0});
  auto layer = nn::Embedding::from_pretrained(table);
  CHECK(layer.weight.shares_storage(table));
  CHECK(layer(index).to_vector<float>() == std::vector<float>{3, 4, 1, 2});
  CHECK_FALSE(layer(index).requires_grad());
  layer.requires_grad_();
  sum(layer(index)).backward();
  CHECK(layer.weight.grad().to_vector<float>() == std::vector<float>{1, 1, 1, 1});
  auto bag = nn::EmbeddingBag::from_pretrained(table, {.mode = BagMode::sum});
  CHECK(bag(index, tensor({0})).to_vector<float>() == std::vector<float>{4, 6});
  CHECK(bag(index, tensor({0, 1}), tensor({2., 10.})).to_vector<float>() == std::vector<float>{6, 8, 10, 20});
  CHECK_FALSE(bag.weight.requires_grad());
}

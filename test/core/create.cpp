// Creation functions: values as NumPy's and PyTorch's.
#include "test/support/catch.h"

#include <limits>

#include <rill/rill.h>

using namespace rill;
using Values = std::vector<double>;

TEST_CASE("arange, linspace and logspace count as NumPy does", "[core][create]") {
  CHECK(arange(4).dtype() == int64);
  CHECK(arange(4).to_vector<double>() == Values{0, 1, 2, 3});
  CHECK(arange(2, 9, 3).to_vector<double>() == Values{2, 5, 8});
  CHECK(arange(5, 0, -2).to_vector<double>() == Values{5, 3, 1});
  CHECK(arange(0.0, 1.0, 0.25).dtype() == float32);
  CHECK(arange(0.0, 1.0, 0.25).to_vector<double>() == Values{0, 0.25, 0.5, 0.75});
  CHECK(arange(0).numel() == 0);
  CHECK_THROWS_AS(arange(0, 5, 0), ValueError);
  CHECK_THROWS_AS(arange(0, 5, -1), ValueError);

  CHECK(linspace(0, 1, 5).to_vector<double>() == Values{0, 0.25, 0.5, 0.75, 1});
  CHECK(linspace(3, 3, 1).to_vector<double>() == Values{3});
  CHECK(linspace(0, 1, 0).numel() == 0);
  CHECK(linspace(-1, 1, 3, {.dtype = float64}).dtype() == float64);
  CHECK_THROWS_AS(linspace(0, 1, -1), Error);
  CHECK(allclose(logspace(0, 3, 4), tensor({1., 10., 100., 1000.})));
  CHECK(allclose(logspace(0, 3, 4, 2), tensor({1., 2., 4., 8.})));
}

TEST_CASE("filled tensors have the shape, dtype and value asked for", "[core][create]") {
  CHECK(zeros({2, 3}).to_vector<double>() == Values(6, 0));
  CHECK(ones({2}, {.dtype = int8}).dtype() == int8);
  CHECK(full({2}, 2.5).to_vector<double>() == Values{2.5, 2.5});
  CHECK(full({2}, 2, {.dtype = float16}).dtype() == float16);
  CHECK(full({}, 7).item<int>() == 7);
  CHECK(empty({0, 3}).numel() == 0);
  CHECK(empty({2, 3}, {.dtype = boolean}).dtype() == boolean);
  CHECK(eye(2).to_vector<double>() == Values{1, 0, 0, 1});
  CHECK(eye(2, 3).to_vector<double>() == Values{1, 0, 0, 0, 1, 0});
  CHECK_THROWS_AS(zeros({2, -1}), ShapeError);
  CHECK_THROWS_AS(eye(-2), Error);

  const Tensor x = tensor({{1., 2.}, {3., 4.}});
  CHECK(zeros_like(x).shape() == x.shape());
  CHECK(ones_like(x, {.dtype = int64}).dtype() == int64);
  CHECK(full_like(x, 3).to_vector<double>() == Values(4, 3));
  CHECK(empty_like(x).dtype() == float32);
  CHECK(zeros({1}, {.requires_grad = true}).requires_grad());
}

TEST_CASE("sizes that no memory can hold are refused before anything is allocated", "[core][create]") {
  const std::int64_t huge = std::int64_t{1} << 62;
  for (const Shape& shape : {Shape{huge, 4}, Shape{huge, 0, 4}, Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}, Shape{std::numeric_limits<std::int64_t>::max()}}) {
    CHECK_THROWS_AS(zeros(shape), ShapeError);
    CHECK_THROWS_AS(empty(shape, {.dtype = float64}), ShapeError);
  }
}

TEST_CASE("tensors of nested lists and vectors", "[core][create]") {
  CHECK(tensor({1, 2}).dtype() == int64);
  CHECK(tensor({1, 2.5}).dtype() == float32);
  CHECK(tensor({true, false}).dtype() == boolean);
  CHECK(tensor({{{1}, {2}}, {{3}, {4}}}).shape() == Shape{2, 2, 1});
  CHECK_THROWS_AS(tensor({{1, 2}, {3}}), Error);
  CHECK(tensor(std::vector<float>{1, 2}).shape() == Shape{2});
  CHECK(from_vector(std::vector<double>{1, 2, 3, 4}, {2, 2}).dtype() == float64);
  CHECK_THROWS_AS(from_vector(std::vector<float>{1, 2, 3}, {2, 2}), ShapeError);
}

TEST_CASE("from_blob borrows memory, checks its bounds and gives it back", "[core][create]") {
  std::vector<float> memory = {0, 1, 2, 3, 4, 5};
  bool released = false;
  {
    const Tensor t = from_blob(std::span(memory), {2, 3}, [&] { released = true; });
    t.add_(10);
    CHECK(memory[5] == 15);
    const Tensor row = t[1];
    CHECK(row.to_vector<double>() == Values{13, 14, 15});
    CHECK_FALSE(released);
  }
  CHECK(released);
  const Tensor columns = from_blob(std::span(memory), Shape{3, 2}, Strides{1, 3});
  CHECK(columns.to_vector<double>() == Values{10, 13, 11, 14, 12, 15});
  CHECK_THROWS_AS(from_blob(std::span(memory), {2, 4}), Error);
  CHECK_THROWS_AS(from_blob(std::span(memory), Shape{3, 2}, Strides{2, 3}), Error);
}

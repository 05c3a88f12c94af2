// Where a function has no derivative, or several inputs are equally good: the side that PyTorch takes.
#include "test/support/catch.h"

#include <rill/autograd/backward.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/sort.h>

#include <functional>
#include <limits>

using namespace rill;

namespace {

using Values = std::vector<double>;
constexpr double kInf = std::numeric_limits<double>::infinity();

/// The derivative of sum(f(x)) at x.
Values slope(const std::function<Tensor(const Tensor&)>& f, const Values& at) {
  const Tensor x = tensor(at).requires_grad_();
  return grad({f(x).sum()}, {x})[0].to_vector<double>();
}

}  // namespace

TEST_CASE("derivatives at kinks are PyTorch's", "[ops]") {
  CHECK(slope([](auto& x) { return abs(x); }, {0}) == Values{0});
  CHECK(slope([](auto& x) { return relu(x); }, {0}) == Values{0});
  CHECK(slope([](auto& x) { return relu6(x); }, {0, 6}) == Values{0, 0});
  CHECK(slope([](auto& x) { return hardtanh(x); }, {-1, 1}) == Values{0, 0});
  CHECK(slope([](auto& x) { return leaky_relu(x, 0.25); }, {0}) == Values{0.25});
  CHECK(slope([](auto& x) { return clamp(x, -1, 1); }, {-2, -1, 0, 1, 2}) == Values{0, 1, 1, 1, 0});
  CHECK(slope([](auto& x) { return clamp(x, full({}, -1.), full({}, 1.)); }, {-2, -1, 0, 1, 2}) == Values{0, 1, 1, 1, 0});
  CHECK(slope([](auto& x) { return sqrt(x); }, {0}) == Values{kInf});
  CHECK(slope([](auto& x) { return pow(x, 0.5); }, {0}) == Values{kInf});
  CHECK(slope([](auto& x) { return pow(x, 2); }, {0}) == Values{0});
  CHECK(slope([](auto& x) { return norm(x); }, {0, 0}) == Values{0, 0});
  CHECK(slope([](auto& x) { return sign(x); }, {0}) == Values{0});
}

TEST_CASE("ties share the gradient or send it to the returned index", "[ops]") {
  CHECK(slope([](auto& x) { return max(x); }, {2, 1, 2}) == Values{0.5, 0, 0.5});
  CHECK(slope([](auto& x) { return amin(x, {0}); }, {1, 1, 2, 1}) == Values{1. / 3, 1. / 3, 0, 1. / 3});
  CHECK(slope([](auto& x) { return max(x, 0).values; }, {2, 1, 2}) == Values{1, 0, 0});
  CHECK(slope([](auto& x) { return sort(x).values.narrow(0, 0, 1); }, {1, 1, 2}) == Values{1, 0, 0});
  CHECK(slope([](auto& x) { return maximum(x, full({}, 1.)); }, {0, 1, 2}) == Values{0, 0.5, 1});
  CHECK(slope([](auto& x) { return minimum(x, full({}, 1.)); }, {0, 1, 2}) == Values{1, 0.5, 0});
}

TEST_CASE("clamp with tensors: low above high gives high, an undefined bound does not limit, NaN passes through", "[ops]") {
  const Tensor x = tensor({-3., 0., 3.});
  CHECK(clamp(x, full({}, 2.), full({}, 1.)).to_vector<double>() == Values{1, 1, 1});
  CHECK(clamp(x, Tensor(), full({}, 1.)).to_vector<double>() == Values{-3, 0, 1});
  CHECK(clamp(x, full({}, 1.), Tensor()).to_vector<double>() == Values{1, 1, 3});
  CHECK(isnan(clamp(x, full({}, std::nan("")), full({}, 1.))).to_vector<bool>() == std::vector<bool>{true, true, true});
  CHECK(isnan(clamp(full({1}, std::nan("")), full({}, 0.), full({}, 1.))).item<bool>());
}

TEST_CASE("shifts by counts outside the width leave nothing but the sign", "[ops]") {
  const Tensor x = tensor({1, -1, 5, -5}).to(int8), counts = tensor({8, 8, -1, 100}).to(int8);
  CHECK(bitwise_left_shift(x, counts).to_vector<int>() == std::vector<int>{0, 0, 0, 0});
  CHECK(bitwise_right_shift(x, counts).to_vector<int>() == std::vector<int>{0, -1, 0, -1});
}

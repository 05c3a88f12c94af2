// Sorting, order statistics, searching and counting against PyTorch: test/oracle/sort_goldens.py.
#include "test/support/goldens.h"

#include <rill/autograd/backward.h>
#include <rill/core/threads.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/sort.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <random>

using namespace rill;

namespace {

std::vector<Tensor> both(const ValuesIndices& r) { return {r.values, r.indices}; }
std::vector<Tensor> all(const Unique& u) { return {u.values, u.inverse, u.counts}; }

Interpolation interpolation(const std::string& name) {
  const std::map<std::string, Interpolation> all = {{"linear", Interpolation::linear}, {"lower", Interpolation::lower}, {"higher", Interpolation::higher},
                                                    {"midpoint", Interpolation::midpoint}, {"nearest", Interpolation::nearest}};
  return all.at(name);
}

std::vector<Tensor> run(const Golden& g, const Tensor& x) {
  const auto i = [&](std::size_t k) { return g.integer(k); };
  const std::string& op = g.op;
  if (op == "sort") return both(sort(x, i(0), i(1)));
  if (op == "msort") return {msort(x)};
  if (op == "topk") return both(topk(x, i(0), i(1), i(2)));
  if (op == "kthvalue") return both(kthvalue(x, i(0), i(1), i(2)));
  if (op == "median") return both(median(x, i(0), i(1)));
  if (op == "nanmedian") return both(nanmedian(x, i(0), i(1)));
  if (op == "mode") return both(mode(x, i(0), i(1)));
  if (op == "median_all") return {median(x)};
  if (op == "nanmedian_all") return {nanmedian(x)};
  if (op == "quantile") return {quantile(x, g.number(0), i(1), i(2))};
  if (op == "quantile_all") return {quantile(x, g.number(0))};
  if (op == "quantile_how") return {quantile(x, g.number(0), i(1), false, interpolation(g.arguments[2]))};
  if (op == "nanquantile") return {nanquantile(x, g.number(0), i(1), false, interpolation(g.arguments[2]))};
  if (op == "aminmax") return {aminmax(x, i(0)).first, aminmax(x, i(0)).second};
  if (op == "renorm") return {renorm(x, g.number(0), i(1), g.number(2))};
  if (op == "searchsorted") return {searchsorted(x, g.inputs[1], i(0))};
  if (op == "bucketize") return {bucketize(x, g.inputs[1], i(0))};
  UniqueOptions o{.inverse = true, .counts = true};
  if (!g.arguments.empty()) o.axis = i(0);
  if (op == "unique") return all(unique(x, o));
  if (op == "unique_consecutive") return all(unique_consecutive(x, o));
  if (op == "isin") return {isin(x, g.inputs[1], i(0))};
  if (op == "bincount") return {bincount(x, g.inputs.size() > 1 ? g.inputs[1] : Tensor(), i(0))};
  if (op == "histc") return {histc(x, i(0), g.number(1), g.number(2))};
  throw std::runtime_error("no op " + op);
}

Tensor weighted(const Tensor& y) { return sum(y * (arange(static_cast<double>(y.numel()), {.dtype = y.dtype()}) + 1).reshape(y.shape())); }

}  // namespace

TEST_CASE("sorting, order statistics, searching and counting agree with PyTorch", "[ops][sort]") {
  std::ifstream file(RILL_SOURCE_DIR "/test/ops/sort_goldens.txt");
  REQUIRE(file);
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    INFO(line);
    const Golden g = parse_golden(line);
    const double tolerance = g.op.find("quantile") != std::string::npos || g.op == "renorm" ? 2e-6 : 0;
    const bool zeros = g.op == "sort" || g.op == "msort";  // PyTorch leaves the order of ties open elsewhere
    const auto out = run(g, g.inputs[0]);
    const auto& want = g.sections.at("");
    for (std::size_t k = 0; k < want.size(); ++k) check_same(out.at(k), want[k], tolerance, zeros);
    // every memory layout gives the same
    if (g.inputs[0].dim() > 1) {
      const Tensor strided = g.inputs[0].transpose(0, -1).clone(MemoryFormat::contiguous).transpose(0, -1);
      const auto again = run(g, strided);
      for (std::size_t k = 0; k < out.size(); ++k) check_same(again[k], out[k]);
    }
    // indices point at the values
    if (g.op == "kthvalue" || g.op == "median" || g.op == "nanmedian" || g.op == "topk") {
      const auto axis = g.integer(g.op == "kthvalue" || g.op == "topk" ? 1 : 0);
      const bool kept = out[1].dim() == g.inputs[0].dim();
      check_same(gather(g.inputs[0], axis, kept ? out[1] : out[1].unsqueeze(axis)).reshape(out[0].shape()), out[0]);
    }
    if (!g.sections.contains("grad")) continue;
    const Tensor leaf = g.inputs[0].clone().requires_grad_();
    check_same(grad({weighted(run(g, leaf)[0])}, {leaf})[0], g.sections.at("grad")[0], 1e-12);
  }
  CHECK(lines > 1000);
}

TEST_CASE("the gradients of sorted values can be differentiated", "[ops][sort]") {
  // f selects or mixes elements linearly: with L = sum f(x)^2, dL = 2 J^t f and the gradient of v . dL is 2 J^t J v
  const Tensor x = tensor({3., -1., 2.5, 0.25, 7., -4.}, {.dtype = float64}).requires_grad_();
  const auto second = [&](auto f) {
    const Tensor y = f(x), first = grad({sum(y * y)}, {x}, {}, {.create_graph = true})[0];
    return grad({first}, {x}, {arange(1., 7., 1., {.dtype = float64})})[0].to_vector<double>();
  };
  CHECK(second([](const Tensor& t) { return sort(t).values; }) == std::vector<double>{2, 4, 6, 8, 10, 12});
  CHECK(second([](const Tensor& t) { return topk(t, 2).values; }) == std::vector<double>{2, 0, 0, 0, 10, 0});
  CHECK(second([](const Tensor& t) { return kthvalue(t, 2).values; }) == std::vector<double>{0, 4, 0, 0, 0, 0});
  CHECK(second([](const Tensor& t) { return median(t, 0).values; }) == std::vector<double>{0, 0, 0, 8, 0, 0});
  CHECK(second([](const Tensor& t) { return median(t); }) == std::vector<double>{0, 0, 0, 8, 0, 0});
  CHECK(second([](const Tensor& t) { return quantile(t, 0.5); }) == std::vector<double>{0, 0, 3.5, 3.5, 0, 0});
}

TEST_CASE("long rows are sorted stably, whatever the number of threads", "[ops][sort]") {
  std::mt19937 random(7);
  std::vector<float> v(3 * 20000);
  for (auto& e : v) e = random() % 50 == 0 ? NAN : (static_cast<int>(random() % 2001) - 1000) / 8.0f;
  const Tensor x = tensor(v).reshape({3, 20000});
  const auto before = [](float a, float b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
  const int threads = num_threads();
  for (const bool descending : {false, true})
    for (const int t : {1, 4}) {
      set_num_threads(t);
      const auto indices = sort(x, 1, descending).indices.to_vector<std::int64_t>();
      const auto few = topk(x, 17, 1, descending).indices.to_vector<std::int64_t>();
      for (std::size_t row = 0; row < 3; ++row) {
        std::vector<std::int64_t> order(20000);
        std::iota(order.begin(), order.end(), 0);
        const float* p = v.data() + row * 20000;
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return descending ? before(p[b], p[a]) : before(p[a], p[b]); });
        CHECK(std::equal(order.begin(), order.end(), indices.begin() + static_cast<std::ptrdiff_t>(row) * 20000));
        CHECK(std::equal(order.begin(), order.begin() + 17, few.begin() + static_cast<std::ptrdiff_t>(row) * 17));
      }
    }
  set_num_threads(threads);
  // every integer width passes through the radix sort
  for (const Dtype d : {int8, uint8, int16, int32, int64, float64, float16}) {
    const Tensor y = clamp(nan_to_num(x), -120, 120).to(d).reshape({60000});
    auto expected = y.to_vector<double>();
    std::sort(expected.begin(), expected.end());
    CHECK(sort(y).values.to_vector<double>() == expected);
  }
}

TEST_CASE("sorting functions say what is wrong", "[ops][sort]") {
  const Tensor x = arange(6.).reshape({2, 3});
  CHECK_THROWS_AS(sort(x, 2), IndexError);
  CHECK_THROWS_AS(sort(Tensor()), ValueError);
  CHECK_THROWS_WITH(topk(x, 4), "topk: k is 4, but axis 1 of [2, 3] has only 3 elements");
  CHECK_THROWS_WITH(topk(x, -1), "topk: k is -1; it must not be negative");
  CHECK_THROWS_WITH(kthvalue(x, 0), "kthvalue: k is 0, but axis 1 of [2, 3] has 3 elements; k counts from 1");
  CHECK_THROWS_WITH(median(zeros({0, 3}), 0), "median: axis 0 of [0, 3] is empty; an empty row has no median");
  CHECK_THROWS_AS(mode(zeros({3, 0})), ValueError);
  CHECK(std::isnan(median(zeros({0})).item<float>()));
  CHECK_THROWS_WITH(quantile(x, 1.5), "quantile: q is 1.5; it must lie in [0, 1]");
  CHECK_THROWS_WITH(quantile(arange(3), 0.5), "quantile: int64 is not supported, expected float32 or float64; convert with .to()");
  CHECK_THROWS_WITH(searchsorted(arange(3), x), "searchsorted: the sorted tensor is int64, the values are float32; convert one with .to()");
  CHECK_THROWS_AS(searchsorted(tensor({true}), tensor({true})), DtypeError);
  CHECK_THROWS_WITH(searchsorted(zeros({3, 4}), x),
                    "searchsorted: the sorted tensor has shape [3, 4], the values [2, 3]; all axes but the last must be equal, or the sorted tensor has one axis");
  CHECK_THROWS_AS(bucketize(x, x), ShapeError);
  CHECK_THROWS_AS(unique(zeros({2, 0}), {.axis = 0}), ShapeError);
  CHECK_THROWS_WITH(bincount(tensor({1, -3})), "bincount: the value -3 is negative; only values from 0 on can be counted");
  CHECK_THROWS_WITH(bincount(x), "bincount: float32 is not supported, expected an integer dtype");
  CHECK_THROWS_AS(bincount(arange(4).reshape({2, 2})), ShapeError);
  CHECK_THROWS_AS(bincount(arange(4), ones({3})), ShapeError);
  CHECK_THROWS_AS(bincount(tensor({INT64_MAX})), ShapeError);
  CHECK_THROWS_AS(histc(arange(3)), DtypeError);
  CHECK_THROWS_WITH(histc(x, 3, 2, 1), "histc: the range from 2 to 1 is empty; high must not be below low");
  CHECK_THROWS_AS(histc(tensor({1., NAN}), 3), ValueError);
  CHECK_THROWS_AS(histc(x, 0), ValueError);
}

TEST_CASE("searching treats NaN as the largest value and numbers by their value", "[ops][sort]") {
  const Tensor sorted = tensor({-1., -0., 1., 3., NAN});  // PyTorch loses its way here
  CHECK(searchsorted(sorted, tensor({3., NAN, INFINITY})).to_vector<int>() == std::vector<int>{3, 4, 4});
  CHECK(searchsorted(sorted, tensor({3., NAN, INFINITY}), true).to_vector<int>() == std::vector<int>{4, 5, 4});
  CHECK(searchsorted(tensor({1, 2, 2, 3}), 2.5).item<std::int64_t>() == 3);
}

TEST_CASE("NaN differs from itself in every instruction set", "[ops][elementwise]") {
  Tensor x = zeros({100});
  x(Slice(7, {}, 10)) = NAN;
  CHECK(ne(x, x).to_vector<int>() == isnan(x).to_vector<int>());
  CHECK(sum(isnan(x)).item<std::int64_t>() == 10);
  CHECK(sum(isnan(maximum(x, zeros({100})))).item<std::int64_t>() == 10);
  CHECK(sum(isnan(minimum(zeros({100}), x))).item<std::int64_t>() == 10);
}

TEST_CASE("writing into returned indices does not change gradients silently", "[ops][sort]") {
  const Tensor x = tensor({3., 1., 2.}).requires_grad_();
  const auto [values, indices] = sort(x);
  indices.zero_();
  CHECK_THROWS_AS(values.backward(ones({3})), GradError);
}

// Products of views as cuBLAS gets them, multiplied here the way that cuBLAS defines them.
#include "backends/cuda/gemm_plan.h"

#include <random>
#include <vector>

#include "test/support/catch.h"

using namespace rill;
using cuda::StoredMatrix;

namespace {

template <class T = double> double at(const StoredMatrix& x, std::int64_t row, std::int64_t column, std::int64_t batch) {
  const std::int64_t i = x.transposed ? column + row * x.leading : row + column * x.leading;
  return reinterpret_cast<const T*>(x.data)[batch * x.batch_step + i];
}
/// Operands of type T, a result of doubles.
template <class T = double> void multiply(const StoredMatrix& a, const StoredMatrix& b, const StoredMatrix& c, std::int64_t k, std::int64_t batch) {
  REQUIRE(!c.transposed);
  REQUIRE(a.columns == k);
  REQUIRE(b.rows == k);
  REQUIRE(a.rows == c.rows);
  REQUIRE(b.columns == c.columns);
  for (const StoredMatrix* x : {&a, &b, &c}) REQUIRE(x->leading >= std::max<std::int64_t>(1, x->transposed ? x->columns : x->rows));
  for (std::int64_t n = 0; n < batch; ++n)
    for (std::int64_t i = 0; i < c.rows; ++i)
      for (std::int64_t j = 0; j < c.columns; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < k; ++p) sum += at<T>(a, i, p, n) * at<T>(b, p, j, n);
        reinterpret_cast<double*>(c.data)[n * c.batch_step + i + j * c.leading] = sum;
      }
}

struct Operand {
  std::vector<double> values;
  std::vector<float> narrow_values = {};
  std::vector<std::int64_t> sizes, strides;
  View view() { return {values.data(), Dtype::float64, static_cast<int>(sizes.size()), sizes.data(), strides.data(), numel(), false}; }
  View narrow() {
    narrow_values.assign(values.begin(), values.end());
    View v = view();
    v.data = narrow_values.data(), v.dtype = Dtype::float32;
    return v;
  }
  std::int64_t numel() const {
    std::int64_t n = 1;
    for (const auto s : sizes) n *= s;
    return n;
  }
  double value(const std::vector<std::int64_t>& index) const {  // broadcast, aligned at the right
    std::int64_t at = 0;
    const std::size_t extra = index.size() - sizes.size();
    for (std::size_t a = 0; a < sizes.size(); ++a) at += (sizes[a] == 1 ? 0 : index[a + extra]) * strides[a];
    return values[static_cast<std::size_t>(at)];
  }
};
/// Axes in a random order of strides with gaps; `adjacent`: one of the last two is the innermost.
Operand operand(std::vector<std::int64_t> sizes, std::mt19937& random) {
  Operand x;
  x.sizes = sizes;
  x.strides.resize(sizes.size());
  std::vector<std::size_t> order(sizes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = order.size() - 1 - i;
  if (random() % 2) std::swap(order[0], order[1]);  // stored by columns
  if (order.size() > 2 && random() % 2) std::shuffle(order.begin() + 1, order.end(), random);
  std::int64_t step = 1;
  for (const std::size_t a : order) x.strides[a] = step, step *= sizes[a] + static_cast<std::int64_t>(random() % 2);
  x.values.resize(static_cast<std::size_t>(step));
  for (double& v : x.values) v = static_cast<double>(random() % 17) - 8;
  return x;
}

}  // namespace

TEST_CASE("products of views become products of matrices stored by columns", "[cuda][gemm]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 400; ++round) {
    const auto size = [&] { return static_cast<std::int64_t>(random() % 5 + 1); };
    const std::int64_t m = size(), n = size(), k = size();
    std::vector<std::int64_t> batch(random() % 3);
    for (auto& b : batch) b = size();
    const auto some = [&](std::vector<std::int64_t> s) {  // a broadcast form of the leading axes
      for (auto& b : s)
        if (random() % 3 == 0) b = 1;
      s.erase(s.begin(), s.begin() + static_cast<long>(random() % (s.size() + 1)));
      return s;
    };
    const auto with = [](std::vector<std::int64_t> s, std::int64_t rows, std::int64_t columns) { return s.push_back(rows), s.push_back(columns), s; };
    Operand a = operand(with(some(batch), m, k), random), b = operand(with(some(batch), k, n), random), out = operand(with(batch, m, n), random);
    if (!cuda::adjacent(a.view()) || !cuda::adjacent(b.view()) || !cuda::adjacent(out.view())) continue;
    const View target = out.view();
    if (round % 2) cuda::for_each_product(a.narrow(), b.narrow(), target, multiply<float>);
    else cuda::for_each_product(a.view(), b.view(), target, multiply<double>);
    std::vector<std::int64_t> index(batch.size() + 2);
    for (std::int64_t i = 0; i < out.numel(); ++i) {
      std::int64_t rest = i;
      for (std::size_t axis = index.size(); axis-- > 0;) index[axis] = rest % out.sizes[axis], rest /= out.sizes[axis];
      double sum = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        auto left = index, right = index;
        left.back() = p, right[right.size() - 2] = p;
        sum += a.value(left) * b.value(right);
      }
      REQUIRE(out.value(index) == sum);
    }
  }
}

TEST_CASE("a linear layer and its gradients become products to which cuBLAS adds what belongs to a bias", "[cuda][gemm]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto dense = [&](std::vector<std::int64_t> sizes) {
    Operand x;
    x.sizes = sizes;
    x.strides.resize(sizes.size());
    std::int64_t step = 1;
    for (std::size_t a = sizes.size(); a-- > 0;) x.strides[a] = step, step *= sizes[a];
    x.values.resize(static_cast<std::size_t>(step));
    for (double& v : x.values) v = static_cast<double>(random() % 17) - 8;
    return x;
  };
  for (int round = 0; round < 300; ++round) {
    const auto size = [&] { return static_cast<std::int64_t>(random() % 5 + 1); };
    const std::int64_t batch = size(), rows = size(), in = size(), out = size();
    Operand x = dense({batch, rows, in}), w = operand({out, in}, random), y = dense({batch, rows, out});
    if (!cuda::adjacent(w.view())) continue;
    cuda::Product p = cuda::linear_product(x.view(), w.view(), y.view());
    multiply(p.left, p.right, p.result, p.k, 1);
    REQUIRE(p.result.rows == out);  // a bias is as long as the result has rows, and goes to each column
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < out; ++j) {
          double sum = 0;
          for (std::int64_t k = 0; k < in; ++k) sum += x.value({n, i, k}) * w.value({j, k});
          REQUIRE(y.value({n, i, j}) == sum);
          REQUIRE(at(p.result, j, n * rows + i, 0) == sum);
        }

    Operand from = dense({rows, in}), g = dense({rows, out}), dw = dense({out, in});
    p = cuda::weight_product(g.view(), from.view(), dw.view());
    multiply(p.left, p.right, p.result, p.k, 1);
    REQUIRE(p.result.columns == out);
    for (std::int64_t j = 0; j < out; ++j) {
      for (std::int64_t k = 0; k < in; ++k) {
        double sum = 0;
        for (std::int64_t i = 0; i < rows; ++i) sum += g.value({i, j}) * from.value({i, k});
        REQUIRE(dw.value({j, k}) == sum);
      }
      double db = 0, sum = 0;
      for (std::int64_t i = 0; i < rows; ++i) db += g.value({i, j}), sum += at(p.right, i, j, 0);  // over k of the right operand
      REQUIRE(sum == db);
    }
  }
}

// The op table: one row per public op. properties*.cpp run every check over every row; completeness.cpp fails for an op without one.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <rill/rill.h>

namespace rill::optable {

using Args = std::vector<Tensor>;

/// What references compute with: row-major values of one input.
struct Plain {
  Shape shape;
  std::vector<double> v;
  std::int64_t size(int axis) const { return shape[axis]; }
  double at(std::int64_t i, std::int64_t j) const { return v[static_cast<std::size_t>(i * shape[1] + j)]; }
};

/// The element types a row takes; the others must be refused with DtypeError.
enum Kinds : unsigned { kFloats = 1, kHalfs = 2, kInts = 4, kBool = 8, kReal = kFloats | kHalfs, kNumbers = kReal | kInts, kAll = kNumbers | kBool };

struct Input {
  Shape shape = {3, 5};
  double low = -2, high = 2;
  std::vector<double> kinks = {};      // not drawn close by where a derivative is checked
  std::optional<Dtype> dtype = {};     // of an index or a condition; otherwise the one under test
};

enum class Result { same, floating, boolean, int64, wide };  // floating: integers become float32; wide: integers become int64

struct ErrorCase {
  std::function<void()> run;
  std::function<bool(const std::exception&)> is;
  std::string text;
};
template <class E> ErrorCase throws(std::string text, std::function<void()> run) {
  return {std::move(run), [](const std::exception& e) { return dynamic_cast<const E*>(&e) != nullptr; }, std::move(text)};
}

struct Row {
  std::string name;
  std::function<Tensor(const Args&)> run;
  std::vector<Input> inputs = {{}};
  unsigned kinds = kReal;
  Result result = Result::same;
  bool elementwise = false;  // any shapes that broadcast, any layout, special values
  std::function<double(const double*)> each = {};                              // elementwise: one result from one element of each input
  std::function<std::vector<double>(const std::vector<Plain>&)> whole = {};    // otherwise; null: compared with PyTorch's values in *_goldens
  double bound = 4;          // |y - reference| <= bound eps (|reference| + magnitude), eps of the result's dtype
  double magnitude = 0;
  int roundings = 1;         // of a 16-bit result
  bool differentiable = true;
  bool twice = true;         // off: the second derivative is refused with GradError
  std::size_t required = 9;  // inputs from this one on may be undefined
  bool special = true;       // the reference also holds for infinities, NaN, zeros and the ends of the range
  bool view = false;         // shares memory with its first input
  std::function<void(const Args&)> in_place = {};
  std::vector<Input> large = {};  // for the comparison of thread counts
  std::vector<ErrorCase> errors = {};
};

std::vector<Row> rows_unary();
std::vector<Row> rows_activation();
std::vector<Row> rows_binary();
std::vector<Row> rows_reduce();
std::vector<Row> rows_shape();
std::vector<Row> rows_index();
std::vector<Row> rows_linalg();
std::vector<Row> rows_nn();

inline const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> list;
    for (auto family : {rows_unary, rows_activation, rows_binary, rows_reduce, rows_shape, rows_index, rows_linalg, rows_nn})
      for (Row& r : family()) list.push_back(std::move(r));
    return list;
  }();
  return all;
}

// ---- inputs -------------------------------------------------------------------------------------------------------------------------

/// A generator of its own, so that the table does not depend on what it tests (splitmix64; Steele, Lea and Flood 2014).
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed) {}
  double uniform(double low, double high) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return low + (high - low) * (static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53);
  }

 private:
  std::uint64_t state_;
};

inline Tensor make_input(const Input& in, const Shape& shape, Dtype dtype, Draw& draw) {
  const Dtype d = in.dtype.value_or(dtype);
  std::int64_t n = 1;
  for (std::int64_t s : shape) n *= s;
  std::vector<double> values(static_cast<std::size_t>(n));
  for (double& v : values) {
    do v = draw.uniform(in.low, in.high);
    while ([&] { for (double k : in.kinks) if (std::fabs(v - k) < 0.05 && is_floating(d)) return true; return false; }());
    if (!is_floating(d)) v = d == boolean ? v > (in.low + in.high) / 2 : std::floor(d == uint8 ? std::fabs(v) : v);
    if (!is_floating(d) && d != boolean && v < in.low && d != uint8) v = std::ceil(in.low);
  }
  return tensor(std::span<const double>(values), shape, {.dtype = float64}).to(d);
}
inline Plain plain(const Tensor& t) { return {t.shape(), t.to_vector<double>()}; }

inline double epsilon(Dtype d) { return d == float16 ? 0x1p-10 : d == bfloat16 ? 0x1p-7 : d == float64 ? 0x1p-52 : 0x1p-23; }
inline double largest(Dtype d) { return d == float16 ? 65504. : d == bfloat16 ? 3.3895313892515355e38 : d == float64 ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max(); }
inline double smallest(Dtype d) { return d == float16 ? 0x1p-14 : d == float64 ? 0x1p-1022 : 0x1p-126; }

}  // namespace rill::optable

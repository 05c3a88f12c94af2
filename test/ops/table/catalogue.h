// The op table: one row or more per public op. values.cpp, gradients.cpp, memory.cpp, refusals.cpp and determinism.cpp run their checks
// over every row; completeness.cpp fails for an op without one and for a row without error cases.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <map>
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

/// A call that must throw, the class and the whole text of the exception, and where that stands.
struct ErrorCase {
  std::function<void()> run;
  std::function<bool(const std::exception&)> is;
  std::string text;
  const char* file;
  int line;
};
template <class E> ErrorCase throws(std::string text, std::function<void()> run, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return {std::move(run), [](const std::exception& e) { return dynamic_cast<const E*>(&e) != nullptr; }, std::move(text), file, line};
}

/// The error cases that every function of one operand has.
inline std::vector<ErrorCase> unary_errors(const std::string& op, std::function<Tensor(const std::vector<Tensor>&)> run, std::function<void(const std::vector<Tensor>&)> in_place = {}) {
  std::vector<ErrorCase> errors = {throws<ValueError>(op + ": input is undefined; pass a tensor with values", [run] { run({Tensor()}); })};
  if (in_place)
    errors.push_back(throws<GradError>(op + ": float32 [2] is a leaf that requires grad and cannot be written in place while recording; use NoGrad or an out-of-place op",
                                       [in_place] { in_place({full({2}, 0.5).requires_grad_()}); }));
  return errors;
}

struct Row {
  std::string name;
  std::function<Tensor(const Args&)> run;
  std::vector<Input> inputs = {{}};
  unsigned kinds = kReal;
  unsigned also = 0;         // taken as well, with values tested elsewhere
  Result result = Result::same;
  bool elementwise = false;  // any shapes that broadcast, any layout, special values
  std::function<double(const double*)> each = {};                              // elementwise: one result from one element of each input
  std::function<std::vector<double>(const std::vector<Plain>&)> whole = {};    // otherwise; null: compared with PyTorch's values in *_goldens
  std::function<std::vector<double>(const std::vector<Plain>&, Dtype)> whole_of = {};  // the same where it depends on the dtype
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
  // An attribute, axis, size or index taken from the ends of the range: must succeed, forward and backward, or throw a rill::Error.
  std::vector<std::function<Tensor(const Args&, std::int64_t)>> corners = {};
};

using Corner = std::function<Tensor(const Args&, std::int64_t)>;

/// Further fields of the rows with these names.
inline void add_errors(std::vector<Row>& list, const std::map<std::string, ErrorCase>& errors) {
  for (Row& r : list)
    if (const auto found = errors.find(r.name); found != errors.end()) r.errors.push_back(found->second);
}
inline void add_corners(std::vector<Row>& list, const std::map<std::string, std::vector<Corner>>& corners) {
  for (Row& r : list)
    if (const auto found = corners.find(r.name); found != corners.end()) r.corners = found->second;
}
inline Row with_corners(Row r, std::vector<Corner> corners) {
  r.corners = std::move(corners);
  return r;
}

std::vector<Row> rows_unary();
std::vector<Row> rows_activation();
std::vector<Row> rows_binary();
std::vector<Row> rows_reduce();
std::vector<Row> rows_shape();
std::vector<Row> rows_index();
std::vector<Row> rows_linalg();
std::vector<Row> rows_nn();
std::vector<Row> rows_loss();
std::vector<Row> rows_conv();
std::vector<Row> rows_pool();
std::vector<Row> rows_resize();
std::vector<Row> rows_create();
std::vector<Row> rows_random();
std::vector<Row> rows_rnn();

inline const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> list;
    for (auto family : {rows_unary, rows_activation, rows_binary, rows_reduce, rows_shape, rows_index, rows_linalg, rows_nn, rows_loss, rows_conv, rows_pool, rows_resize, rows_create, rows_random, rows_rnn})
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
inline Args draw_inputs(const std::vector<Input>& inputs, Dtype dtype, std::uint64_t seed) {
  Draw draw(seed);
  Args args;
  for (const Input& in : inputs) args.push_back(make_input(in, in.shape, dtype, draw));
  return args;
}
/// For what a row makes besides its inputs: on their device, and of their dtype.
inline Options on(const Tensor& x) { return {.device = x.device()}; }
inline Options options_of(const Tensor& x) { return {.dtype = x.dtype(), .device = x.device()}; }
inline Plain plain(const Tensor& t) { return {t.shape(), t.to_vector<double>()}; }

inline double epsilon(Dtype d) { return d == float16 ? 0x1p-10 : d == bfloat16 ? 0x1p-7 : d == float64 ? 0x1p-52 : 0x1p-23; }
inline double largest(Dtype d) { return d == float16 ? 65504. : d == bfloat16 ? 3.3895313892515355e38 : d == float64 ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max(); }
inline double smallest(Dtype d) { return d == float16 ? 0x1p-14 : d == float64 ? 0x1p-1022 : 0x1p-126; }

inline std::vector<Dtype> dtypes_of(unsigned kinds) {
  std::vector<Dtype> list;
  if (kinds & kFloats) list.insert(list.end(), {float32, float64});
  if (kinds & kHalfs) list.insert(list.end(), {float16, bfloat16});
  if (kinds & kInts) list.insert(list.end(), {int64, int32, int16, int8, uint8});
  if (kinds & kBool) list.push_back(boolean);
  return list;
}
/// The dtype a row is run with where one is enough: `wide` prefers float64.
inline Dtype usual_dtype(const Row& row, bool wide = false) { return row.kinds & kFloats ? (wide ? float64 : float32) : row.kinds & kInts ? int64 : boolean; }

inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  for (std::size_t i = 0; i < x.size(); ++i)
    if ((x[i] != y[i] || std::signbit(x[i]) != std::signbit(y[i])) && !(std::isnan(x[i]) && std::isnan(y[i]))) return false;
  return true;
}

}  // namespace rill::optable

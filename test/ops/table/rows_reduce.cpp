// Reductions and scans: x [4, 6] by default, over axis 1. References add up in long double.
#include <algorithm>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Line = std::vector<double>;

/// Applies f to every row of the first input.
std::function<Line(const std::vector<Plain>&)> rows_of(std::function<Line(const Line&)> f) {
  return [f](const std::vector<Plain>& in) {
    Line y;
    const auto n = static_cast<std::size_t>(in[0].size(1));
    for (std::size_t i = 0; i < in[0].v.size(); i += n)
      for (double v : f(Line(in[0].v.begin() + static_cast<std::ptrdiff_t>(i), in[0].v.begin() + static_cast<std::ptrdiff_t>(i + n)))) y.push_back(v);
    return y;
  };
}
std::function<Line(const std::vector<Plain>&)> row_to_one(double (*f)(const Line&)) {
  return rows_of([f](const Line& x) { return Line{f(x)}; });
}

double sum_of(const Line& x) {
  long double s = 0;
  for (double v : x) s += v;
  return static_cast<double>(s);
}
double mean_of(const Line& x) { return sum_of(x) / static_cast<double>(x.size()); }
double var_of(const Line& x) {
  long double s = 0, m = 0;
  for (double v : x) m += v;
  m /= static_cast<long double>(x.size());
  for (double v : x) s += (v - m) * (v - m);
  return static_cast<double>(s / static_cast<long double>(x.size() - 1));
}
double prod_of(const Line& x) {
  long double p = 1;
  for (double v : x) p *= v;
  return static_cast<double>(p);
}
double max_of(const Line& x) { return *std::max_element(x.begin(), x.end()); }
double min_of(const Line& x) { return *std::min_element(x.begin(), x.end()); }
double arg_of(const Line& x) { return static_cast<double>(std::max_element(x.begin(), x.end()) - x.begin()); }
double arg_min_of(const Line& x) { return static_cast<double>(std::min_element(x.begin(), x.end()) - x.begin()); }
double logsumexp_of(const Line& x) {
  long double s = 0;
  for (double v : x) s += std::exp(static_cast<long double>(v));
  return static_cast<double>(std::log(s));
}
double norm_of(const Line& x) {
  long double s = 0;
  for (double v : x) s += static_cast<long double>(v) * v;
  return static_cast<double>(std::sqrt(s));
}
Line running(const Line& x, double (*f)(const Line&)) {
  Line y;
  for (std::size_t i = 1; i <= x.size(); ++i) y.push_back(f(Line(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(i))));
  return y;
}

const Input kX = {.shape = {4, 6}, .low = -9, .high = 9};
std::vector<ErrorCase> axis_errors(const std::string& op, std::function<Tensor(const Tensor&, std::int64_t)> f) {
  const std::string tail = " is outside [-2, 2) for a tensor of rank 2";
  return {throws<IndexError>(op + ": axis 2" + tail, [f] { f(ones({3, 4}), 2); }), throws<IndexError>(op + ": axis -3" + tail, [f] { f(ones({3, 4}), -3); })};
}
Row row(const char* name, std::function<Tensor(const Tensor&, std::int64_t)> f, std::function<Line(const std::vector<Plain>&)> reference, Row r = {}) {
  r.name = name;
  r.run = [f](const Args& a) { return f(a[0], 1); };
  r.inputs = {kX};
  r.large = {{.shape = {300, 700}}};
  r.whole = std::move(reference);
  r.magnitude = r.magnitude ? r.magnitude : 60;
  r.errors = axis_errors(name, f);
  r.corners = {[f](const Args& a, std::int64_t k) { return f(a[0], k); }};
  return r;
}

}  // namespace

std::vector<Row> rows_reduce() {
  std::vector<Row> list = {
      row("sum", [](const Tensor& x, std::int64_t a) { return sum(x, {a}); }, row_to_one(sum_of), {.kinds = kAll, .result = Result::wide}),
      row("mean", [](const Tensor& x, std::int64_t a) { return mean(x, {a}); }, row_to_one(mean_of)),
      row("prod", [](const Tensor& x, std::int64_t a) { return prod(x, a); }, row_to_one(prod_of), {.kinds = kAll, .result = Result::wide}),
      row("nansum", [](const Tensor& x, std::int64_t a) { return nansum(x, {a}); }, row_to_one(sum_of), {.kinds = kAll, .result = Result::wide}),
      row("nanmean", [](const Tensor& x, std::int64_t a) { return nanmean(x, {a}); }, row_to_one(mean_of), {.roundings = 2}),
      row("var", [](const Tensor& x, std::int64_t a) { return var(x, {a}); }, row_to_one(var_of), {.bound = 16}),
      row("std", [](const Tensor& x, std::int64_t a) { return std(x, {a}); }, row_to_one([](const Line& x) { return std::sqrt(var_of(x)); }), {.bound = 16, .roundings = 2}),
      row("var_mean", [](const Tensor& x, std::int64_t a) { return var_mean(x, {a}).second; }, row_to_one(mean_of)),
      row("std_mean", [](const Tensor& x, std::int64_t a) { return std_mean(x, {a}).first; }, row_to_one([](const Line& x) { return std::sqrt(var_of(x)); }), {.bound = 16, .roundings = 2}),
      row("max", [](const Tensor& x, std::int64_t a) { return max(x, a).values; }, row_to_one(max_of), {.kinds = kAll, .bound = 0}),
      row("min", [](const Tensor& x, std::int64_t a) { return min(x, a).values; }, row_to_one(min_of), {.kinds = kAll, .bound = 0}),
      row("amax", [](const Tensor& x, std::int64_t a) { return amax(x, {a}); }, row_to_one(max_of), {.kinds = kAll, .bound = 0}),
      row("amin", [](const Tensor& x, std::int64_t a) { return amin(x, {a}); }, row_to_one(min_of), {.kinds = kAll, .bound = 0}),
      row("argmax", [](const Tensor& x, std::int64_t a) { return argmax(x, a); }, row_to_one(arg_of), {.kinds = kAll, .result = Result::int64, .differentiable = false}),
      row("argmin", [](const Tensor& x, std::int64_t a) { return argmin(x, a); }, row_to_one(arg_min_of), {.kinds = kAll, .result = Result::int64, .differentiable = false}),
      row("all", [](const Tensor& x, std::int64_t a) { return all(lt(x, 8), a); }, row_to_one([](const Line& x) { return double(max_of(x) < 8); }), {.kinds = kAll, .result = Result::boolean, .differentiable = false}),
      row("any", [](const Tensor& x, std::int64_t a) { return any(gt(x, 8), a); }, row_to_one([](const Line& x) { return double(max_of(x) > 8); }), {.kinds = kAll, .result = Result::boolean, .differentiable = false}),
      row("count_nonzero", [](const Tensor& x, std::int64_t a) { return count_nonzero(x, {a}); }, row_to_one([](const Line& x) { return static_cast<double>(std::count_if(x.begin(), x.end(), [](double v) { return v != 0; })); }),
          {.kinds = kAll, .result = Result::int64, .differentiable = false}),
      row("norm", [](const Tensor& x, std::int64_t a) { return norm(x, 2, {a}); }, row_to_one(norm_of), {.roundings = 3}),
      row("logsumexp", [](const Tensor& x, std::int64_t a) { return logsumexp(x, {a}); }, row_to_one(logsumexp_of)),
      row("cumsum", [](const Tensor& x, std::int64_t a) { return cumsum(x, a); }, rows_of([](const Line& x) { return running(x, sum_of); }), {.kinds = kAll, .result = Result::wide}),
      row("cumprod", [](const Tensor& x, std::int64_t a) { return cumprod(x, a); }, rows_of([](const Line& x) { return running(x, prod_of); }), {.kinds = kAll, .result = Result::wide}),
      row("cummax", [](const Tensor& x, std::int64_t a) { return cummax(x, a).values; }, rows_of([](const Line& x) { return running(x, max_of); }), {.kinds = kAll, .bound = 0}),
      row("cummin", [](const Tensor& x, std::int64_t a) { return cummin(x, a).values; }, rows_of([](const Line& x) { return running(x, min_of); }), {.kinds = kAll, .bound = 0}),
      row("logcumsumexp", [](const Tensor& x, std::int64_t a) { return logcumsumexp(x, a); }, rows_of([](const Line& x) { return running(x, logsumexp_of); })),
      row("diff", [](const Tensor& x, std::int64_t a) { return diff(x, 1, a); }, rows_of([](const Line& x) {
            Line y;
            for (std::size_t i = 1; i < x.size(); ++i) y.push_back(x[i] - x[i - 1]);
            return y;
          }), {.kinds = kAll}),
      row("median", [](const Tensor& x, std::int64_t a) { return median(x, a).values; }, row_to_one([](const Line& x) {
            Line s = x;
            std::sort(s.begin(), s.end());
            return s[(s.size() - 1) / 2];
          }), {.kinds = kNumbers | kBool, .bound = 0}),
      row("kthvalue", [](const Tensor& x, std::int64_t a) { return kthvalue(x, 2, a).values; }, row_to_one([](const Line& x) {
            Line s = x;
            std::sort(s.begin(), s.end());
            return s[1];
          }), {.kinds = kNumbers | kBool, .bound = 0}),
      row("quantile", [](const Tensor& x, std::int64_t a) { return quantile(x, 0.3, a); }, row_to_one([](const Line& x) {
            Line s = x;
            std::sort(s.begin(), s.end());
            return s[1] + 0.5 * (s[2] - s[1]);  // 0.3 of 5 steps
          }), {.kinds = kFloats}),
  };
  list.push_back(row("nanquantile", [](const Tensor& x, std::int64_t a) { return nanquantile(x, 0.9, a, false, Interpolation::lower); }, row_to_one([](const Line& x) {
                       Line s = x;
                       std::sort(s.begin(), s.end());
                       return s[4];  // 0.9 of 5 steps, rounded down
                     }), {.kinds = kFloats}));
  for (Row& r : list)
    if (r.name == "prod" || r.name == "cumprod") {
      r.inputs = {{.shape = {4, 6}, .low = -1.9, .high = 1.9}};
      r.large = {{.shape = {300, 20}}};
    }
  for (Row& r : list)
    if (r.name == "logcumsumexp") r.large = {{.shape = {30, 70}}};
  auto find = [&](const char* name) -> Row& { return *std::find_if(list.begin(), list.end(), [&](const Row& r) { return r.name == name; }); };
  find("mean").errors.push_back(throws<DtypeError>("mean: int64 is not supported (expected a floating dtype); convert with .to(float32)", [] { mean(ones({3}, {.dtype = int64})); }));
  find("sum").errors.push_back(throws<IndexError>("sum: axis -1 is listed twice in [1, -1]", [] { sum(ones({3, 4}), {1, -1}); }));
  find("max").errors.push_back(throws<ValueError>("max: float32 [3, 0] has no elements to choose from on the reduced axes; an extreme needs at least one", [] { max(ones({3, 0}), 1); }));
  find("amax").errors.push_back(throws<ValueError>("amax: float32 [0] has no elements to choose from on the reduced axes; an extreme needs at least one", [] { amax(ones({0})); }));
  list.push_back({.name = "aminmax", .run = [](const Args& a) { return aminmax(a[0]).second; }, .kinds = kAll, .whole = [](const std::vector<Plain>& in) { return Line{max_of(in[0].v)}; }, .bound = 0,
                  .errors = {throws<ValueError>("aminmax: float32 [0] has no elements to choose from on the reduced axes; an extreme needs at least one", [] { aminmax(ones({0})); })}});
  list.push_back({.name = "mode", .run = [](const Args& a) { return mode(a[0]).values; }, .kinds = kAll, .errors = axis_errors("mode", [](const Tensor& x, std::int64_t a) { return mode(x, a).values; })});
  list.push_back({.name = "allclose", .run = [](const Args& a) { return tensor(Scalar(allclose(a[0], a[1])), on(a[0])); }, .inputs = {{}, {}}, .kinds = kAll, .result = Result::boolean,
                  .whole = [](const std::vector<Plain>& in) { return Line{double(in[0].v == in[1].v)}; }, .differentiable = false,
                  .errors = {throws<ShapeError>("allclose: shapes [3] and [4] do not broadcast: sizes 3 and 4 differ at axis -1 from the right and neither is 1", [] { allclose(ones({3}), ones({4})); })}});
  list.push_back({.name = "equal", .run = [](const Args& a) { return tensor(Scalar(equal(a[0], a[0].clone()) && equal(a[0], a[1]) == equal(a[1], a[0])), on(a[0])); }, .inputs = {{}, {}}, .kinds = kAll, .result = Result::boolean,
                  .whole = [](const std::vector<Plain>&) { return Line{1}; }, .differentiable = false,
                  .errors = {throws<ValueError>("equal: other is undefined; pass a tensor with values", [] { equal(ones({2}, {.dtype = int64}), Tensor()); })}});
  list.push_back({.name = "renorm", .run = [](const Args& a) { return renorm(a[0], 2, 0, 3); }, .inputs = {{.shape = {4, 6}}}, .whole = rows_of([](const Line& x) {
                    const double length = norm_of(x);
                    Line y = x;
                    if (length > 3)
                      for (double& v : y) v *= 3 / (length + 1e-7);
                    return y;
                  }), .bound = 16, .magnitude = 4, .roundings = 3, .errors = {throws<ShapeError>("renorm: float32 [3] has rank 1; expected 2 or more", [] { renorm(ones({3}), 2, 0, 1); }),
                                                           throws<ValueError>("renorm: p is 0 and max_norm 1; use numbers above 0", [] { renorm(ones({3, 2}), 0, 0, 1); })}});
  list.back().corners = {[](const Args& a, std::int64_t k) { return renorm(a[0], 2, k, 3); }};
  return list;
}

}  // namespace rill::optable

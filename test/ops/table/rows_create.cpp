// New tensors. An input of one element says the dtype; what cannot be a row takes memory of the caller (test/core/create.cpp).
#include <rill/cuda/device.h>

#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

constexpr Int kMost = std::numeric_limits<Int>::max();

/// `whole` are the values; the dtype is that of the input, or `result`.
Row row(const char* name, std::function<Tensor(const Args&)> f, Values values, std::vector<ErrorCase> errors, unsigned kinds = kAll) {
  return {.name = name, .run = std::move(f), .inputs = {{.shape = {1}}}, .kinds = kinds, .whole = [values](const std::vector<Plain>&) { return values; }, .bound = 1, .differentiable = false,
          .errors = std::move(errors)};
}
Row like(const char* name, std::function<Tensor(const Tensor&, const Options&)> f, double value) {
  Row r = row(name, [f](const Args& a) { return f(a[0], {}); }, {}, {});
  r.inputs = {{.shape = {2, 3}}};
  r.whole = [value](const std::vector<Plain>&) { return Values(6, value); };
  if (!cuda::is_available())
    r.errors = {throws<DeviceError>("device: cuda:0 cannot be used: " + cuda::why_unavailable() + ", or use Device::cpu()", [f] { f(ones({2}), {.device = Device::cuda(0)}); })};
  return r;
}
Row whole_numbers(Row r) {
  r.result = Result::int64, r.required = 0;
  return r;
}

}  // namespace

std::vector<Row> rows_create() {
  const std::string huge = std::to_string(kMost);
  const auto sized = [](auto f) { return std::vector<Corner>{[f](const Args& a, Int k) { return f({k}, options_of(a)); }, [f](const Args& a, Int k) { return f({2, k, 0}, options_of(a)); }}; };
  const auto make_empty = [](const Shape& s, const Options& o) { return empty(s, o); };
  std::vector<Row> list = {
      with_corners(row("empty", [](const Args& a) { return empty({2, 3}, options_of(a)).fill_(0); }, Values(6, 0), {throws<ShapeError>("empty: shape [2, -1] has the negative size -1", [] { empty({2, -1}); })}), sized(make_empty)),
      with_corners(row("zeros", [](const Args& a) { return zeros({2, 3}, options_of(a)); }, Values(6, 0), {throws<ShapeError>("zeros: shape [-1] has the negative size -1", [] { zeros({-1}); })}),
              sized([](const Shape& s, const Options& o) { return zeros(s, o); })),
      with_corners(row("ones", [](const Args& a) { return ones({2, 3}, options_of(a)); }, Values(6, 1), {throws<ShapeError>("ones: shape [-1] has the negative size -1", [] { ones({-1}); })}),
              sized([](const Shape& s, const Options& o) { return ones(s, o); })),
      with_corners(row("full", [](const Args& a) { return full({2, 3}, 1, options_of(a)); }, Values(6, 1), {throws<ShapeError>("full: shape [-1] has the negative size -1", [] { full({-1}, 1); })}),
              sized([](const Shape& s, const Options& o) { return full(s, 1, o); })),
      like("empty_like", [](const Tensor& x, const Options& o) { return empty_like(x, o).fill_(0); }, 0),
      like("zeros_like", [](const Tensor& x, const Options& o) { return zeros_like(x, o); }, 0),
      like("ones_like", [](const Tensor& x, const Options& o) { return ones_like(x, o); }, 1),
      like("full_like", [](const Tensor& x, const Options& o) { return full_like(x, 1, o); }, 1),
      with_corners(row("eye", [](const Args& a) { return eye(2, 3, options_of(a)); }, {1, 0, 0, 0, 1, 0}, {throws<ShapeError>("eye: shape [-2, -2] has the negative size -2", [] { eye(-2); })}),
              {[](const Args& a, Int k) { return eye(k, -1, options_of(a)); }, [](const Args& a, Int k) { return eye(2, k, options_of(a)); }}),
      with_corners(row("arange", [](const Args& a) { return arange(1, 8, 3, options_of(a)); }, {1, 4, 7},
                  {throws<ValueError>("arange: start 0, end 5, step 0: all must be finite and step must not be 0", [] { arange(0, 5, 0); }),
                   throws<ValueError>("arange: step -1 leads from start 0 away from end 5; change its sign", [] { arange(0, 5, -1); })}, kNumbers),
              {[](const Args& a, Int k) { return arange(k, options_of(a)); }, [](const Args& a, Int k) { return arange(0, 4, k, options_of(a)); }, [](const Args& a, Int k) { return arange(k, 4, 1, options_of(a)); }}),
      with_corners(row("linspace", [](const Args& a) { return linspace(-1, 1, 5, options_of(a)); }, {-1, -0.5, 0, 0.5, 1}, {throws<ValueError>("linspace: count -1 is negative", [] { linspace(0, 1, -1); })}, kReal),
              {[](const Args& a, Int k) { return linspace(0, 1, k, options_of(a)); }, [](const Args& a, Int k) { return linspace(k, 1, 3, options_of(a)); }}),
      with_corners(row("logspace", [](const Args& a) { return logspace(0, 3, 4, 2, options_of(a)); }, {1, 2, 4, 8}, {throws<ValueError>("logspace: count -1 is negative", [] { logspace(0, 1, -1); })}, kReal),
              {[](const Args& a, Int k) { return logspace(0, 1, k, 10, options_of(a)); }}),
      with_corners(whole_numbers(row("tril_indices", [](const Args& a) { return tril_indices(3, 3, -1, on(a[0])); }, {1, 2, 2, 0, 0, 1}, {throws<ValueError>("tril_indices: -1 rows and 3 columns; sizes must not be negative", [] { tril_indices(-1, 3); }),
                                                                                                                        throws<DtypeError>("tril_indices: float32 is not supported (expected int64 or int32)", [] { tril_indices(2, 3, 0, {.dtype = float32}); })})),
              {[](const Args&, Int k) { return tril_indices(k, 3); }, [](const Args&, Int k) { return tril_indices(3, k); }, [](const Args&, Int k) { return tril_indices(3, 4, k); }, [](const Args&, Int k) { return tril_indices(k, k, k); }}),
      with_corners(whole_numbers(row("triu_indices", [](const Args& a) { return triu_indices(2, 3, 1, on(a[0])); }, {0, 0, 1, 1, 2, 2}, {throws<ValueError>("triu_indices: 2 rows and -3 columns; sizes must not be negative", [] { triu_indices(2, -3); })})),
              {[](const Args&, Int k) { return triu_indices(k, 3); }, [](const Args&, Int k) { return triu_indices(3, k); }, [](const Args&, Int k) { return triu_indices(3, 4, k); }, [](const Args&, Int k) { return triu_indices(k, k, k); }}),
      row("tensor", [](const Args& a) { return tensor({{0, 1}, {1, 1}}, options_of(a)); }, {0, 1, 1, 1},
          {throws<ShapeError>("tensor: a list of 1 values stands at depth 1 where 2 were expected; all rows must have one length", [] { tensor({{1, 2}, {3}}); }),
           throws<ShapeError>("tensor: a number stands at depth 2 where a list was expected; all rows must be nested alike", [] { tensor({{{1}, {2}}, {3, 4}}); })}),
  };
  for (Row& r : list)
    if (r.name == "arange" || r.name == "linspace" || r.name == "logspace") r.also = kInts | kBool;  // rounded towards 0
  return list;
}

}  // namespace rill::optable

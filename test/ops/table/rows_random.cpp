// Random numbers: generator, layout of words and formulas written down once more, as Note [Random layout] describes them. What is drawn by
// rejection or by sorting has its distribution tested in test/core/random.cpp; here its errors, layouts, dtypes and determinism.
#include <array>
#include <cmath>

#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr double kPi = 3.14159265358979323846;
Generator fresh() { return Generator(kSeed); }

/// Philox4x32-10 of the first call of a generator.
std::array<std::uint32_t, 4> block(std::uint64_t counter) {
  std::uint32_t c[4] = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0}, k[2] = {static_cast<std::uint32_t>(kSeed), static_cast<std::uint32_t>(kSeed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = 0xD2511F53ull * c[0], b = 0xCD9E8D57ull * c[2];
    const std::uint32_t next[4] = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    std::copy(next, next + 4, c);
    k[0] += 0x9E3779B9u, k[1] += 0xBB67AE85u;
  }
  return {c[0], c[1], c[2], c[3]};
}
/// The 32-bit word of element i; of float64: the 64-bit one.
std::uint32_t word(Int i) { return block(static_cast<std::uint64_t>(16 * (i / 64) + i % 16))[static_cast<std::size_t>(i % 64 / 16)]; }
std::uint64_t wide_word(Int i) {
  const auto w = block(static_cast<std::uint64_t>(16 * (i / 32) + i % 16));
  const auto k = static_cast<std::size_t>(i % 32 / 16);
  return std::uint64_t{w[2 * k + 1]} << 32 | w[2 * k];
}
double uniform_at(Dtype d, Int i) {
  switch (d) {
    case float64: return static_cast<double>(wide_word(i) >> 11) * 0x1p-53;
    case float16: return (word(i) >> 21) * 0x1p-11;
    case bfloat16: return (word(i) >> 24) * 0x1p-8;
    default: return (word(i) >> 8) * 0x1p-24;
  }
}
double normal_at(Dtype d, Int i) {  // Box and Muller 1958
  if (d == float64) {
    const auto w = block(static_cast<std::uint64_t>(16 * (i / 32) + i % 16));
    const double u = (static_cast<double>((std::uint64_t{w[1]} << 32 | w[0]) >> 11) + 0.5) * 0x1p-53, t = 2 * kPi * static_cast<double>(std::uint64_t{w[3]} << 32 | w[2]) * 0x1p-64;
    return std::sqrt(-2 * std::log(u)) * (i % 32 / 16 ? std::sin(t) : std::cos(t));
  }
  const auto w = block(static_cast<std::uint64_t>(16 * (i / 64) + i % 16));
  const auto k = static_cast<std::size_t>(i % 64 / 16);
  const double u = ((w[k & 2] >> 1) + 0.5) * 0x1p-31, t = 2 * kPi * w[(k & 2) + 1] * 0x1p-32;
  return std::sqrt(-2 * std::log(u)) * (k & 1 ? std::sin(t) : std::cos(t));
}
double exponential_at(Dtype d, Int i) {
  return -std::log(d == float64 ? (static_cast<double>(wide_word(i) >> 11) + 0.5) * 0x1p-53 : ((word(i) >> 1) + 0.5) * 0x1p-31);
}
double kept_at(Dtype d, Int i, double p) { return (d == float64 ? static_cast<std::uint32_t>(wide_word(i) >> 32) : word(i)) * 0x1p-32 < p; }
Int integer_at(Int i, Int low, std::uint64_t range) {
  const auto w = block(static_cast<std::uint64_t>(i / 2));
  const std::size_t at = static_cast<std::size_t>(i % 2) * 2;
  const std::uint64_t r = std::uint64_t{w[at + 1]} << 32 | w[at];
  return low + static_cast<Int>(static_cast<unsigned __int128>(r) * range >> 64);
}

/// 105 elements: more than one group of words. `at` gives element i of a dtype.
using At = double (*)(Dtype, Int);
Row row(const char* name, std::function<Tensor(const Args&)> f, At at, std::vector<ErrorCase> errors, unsigned kinds = kReal) {
  Row r{.name = name, .run = std::move(f), .inputs = {{.shape = {3, 5, 7}}}, .kinds = kinds, .bound = 4, .magnitude = 1, .differentiable = false, .large = {{.shape = {100003}}}, .errors = std::move(errors)};
  if (at)
    r.whole_of = [at](const std::vector<Plain>& in, Dtype d) {
      Values y;
      for (Int i = 0; i < static_cast<Int>(in[0].v.size()); ++i) y.push_back(at(d, i));
      return y;
    };
  return r;
}
/// In-place forms run on a copy.
Row fill(const char* name, std::function<void(const Tensor&)> f, At at, std::vector<ErrorCase> errors, unsigned kinds = kReal) {
  Row r = row(name, [f](const Args& a) { const Tensor x = a[0].detach().clone(); f(x); return x; }, at, std::move(errors), kinds);
  const std::string op = std::string(name) + "_";
  r.in_place = [f](const Args& a) { f(a[0]); };
  r.errors.push_back(throws<GradError>(op + ": float32 [2] is a leaf that requires grad and cannot be written in place while recording; use NoGrad or an out-of-place op", [f] { f(ones({2}).requires_grad_()); }));
  r.errors.push_back(throws<ValueError>(op + ": float32 [3, 2] is expanded along axis 0: its elements share memory; clone() it before writing", [f] { f(ones({2}).expand({3, 2})); }));
  return r;
}
Row rounded(Row r, double magnitude, double bound = 16) {
  r.magnitude = magnitude, r.bound = bound, r.roundings = 2;
  return r;
}
Row indices(Row r) {
  r.result = Result::int64;
  return r;
}
Row drop(const char* name, std::function<Tensor(const Tensor&, double)> f, Shape shape, std::vector<ErrorCase> errors) {
  Row r{.name = name, .run = [f](const Args& a) { return f(a[0], 0.25); }, .inputs = {{.shape = shape}}, .kinds = kReal, .bound = 4, .roundings = 2, .errors = std::move(errors)};
  r.errors.push_back(throws<ValueError>(std::string(name) + ": the probability 1.5 is outside [0, 1]", [f, shape] { f(ones(shape), 1.5); }));
  return r;
}

}  // namespace

std::vector<Row> rows_random() {
  const auto probability = [](const char* op) { return std::string(op) + ": the probability 1.5 is outside [0, 1]"; };
  const auto floats_only = [](const char* op) { return std::string(op) + ": int64 is not supported (expected a floating dtype)"; };
  const Options integers{.dtype = int64};
  const Tensor whole = ones({2}, integers);
  std::vector<Row> list = {
      with_corners(row("rand", [](const Args& a) { return rand(a[0].shape(), options_of(a), fresh()); }, uniform_at, {throws<DtypeError>(floats_only("rand"), [=] { rand({2}, integers); })}),
              {[](const Args& a, Int k) { return rand({k}, options_of(a), fresh()); }, [](const Args& a, Int k) { return rand({2, k, 0}, options_of(a), fresh()); }}),
      row("rand_like", [](const Args& a) { return rand_like(a[0], {}, fresh()); }, uniform_at, {throws<DtypeError>(floats_only("rand"), [=] { rand_like(whole); })}),
      rounded(with_corners(row("randn", [](const Args& a) { return randn(a[0].shape(), options_of(a), fresh()); }, normal_at, {throws<DtypeError>(floats_only("randn"), [=] { randn({2}, integers); })}),
                      {[](const Args& a, Int k) { return randn({k}, options_of(a), fresh()); }}), 4),
      rounded(row("randn_like", [](const Args& a) { return randn_like(a[0], {}, fresh()); }, normal_at, {throws<DtypeError>(floats_only("randn"), [=] { randn_like(whole); })}), 4),
      rounded(row("normal", [](const Args& a) { return normal(2, 3, a[0].shape(), options_of(a), fresh()); }, [](Dtype d, Int i) { return 2 + 3 * normal_at(d, i); },
                  {throws<ValueError>("normal: the standard deviation -1 is negative; use 0 or more", [] { normal(0, -1, {2}); }),
                   throws<ValueError>("normal: a standard deviation is negative", [] { normal(zeros({2}), tensor({1., -1.})); })}), 16),
      with_corners(row("randint", [](const Args& a) { return randint(0, 100, a[0].shape(), options_of(a), fresh()); }, [](Dtype, Int i) { return static_cast<double>(integer_at(i, 0, 100)); },
                  {throws<ValueError>("randint: there is no integer in [3, 3); low must be below high", [] { randint(3, 3, {2}); }),
                   throws<ValueError>("randint: [0, 300) does not fit in uint8, which holds 0 to 255", [] { randint(0, 300, {2}, {.dtype = uint8}); })}, kNumbers),
              {[](const Args& a, Int k) { return randint(0, k, {2}, options_of(a), fresh()); }, [](const Args& a, Int k) { return randint(k, 3, {2}, options_of(a), fresh()); }, [](const Args& a, Int k) { return randint(0, 3, {k}, options_of(a), fresh()); }}),
      row("randint_like", [](const Args& a) { return randint_like(a[0], 10, 20, {}, fresh()); }, [](Dtype, Int i) { return static_cast<double>(integer_at(i, 10, 10)); },
          {throws<ValueError>("randint: there is no integer in [3, 3); low must be below high", [] { randint_like(ones({2}), 3, 3); })}, kNumbers),
      with_corners(row("randperm", [](const Args& a) { return sort(randperm(a[0].numel(), options_of(a), fresh())).values; }, [](Dtype, Int i) { return static_cast<double>(i); },
                  {throws<ValueError>("randperm: the count -1 is negative", [] { randperm(-1); })}, kNumbers),
              {[](const Args& a, Int k) { return randperm(k, options_of(a), fresh()); }}),
      fill("uniform", [](const Tensor& x) { uniform_(x, -1, 3, fresh()); }, [](Dtype d, Int i) { return -1 + 4 * uniform_at(d, i); },
           {throws<ValueError>("uniform_: [2, 1) is no range; use finite bounds with low <= high", [] { uniform_(ones({2}), 2, 1); }), throws<DtypeError>(floats_only("uniform_"), [=] { uniform_(whole); })}),
      rounded(fill("exponential", [](const Tensor& x) { exponential_(x, 2, fresh()); }, [](Dtype d, Int i) { return exponential_at(d, i) / 2; },
                   {throws<ValueError>("exponential_: the rate 0 must be above 0", [] { exponential_(ones({2}), 0); })}), 4),
      rounded(fill("log_normal", [](const Tensor& x) { log_normal_(x, 1, 0.5, fresh()); }, [](Dtype, Int i) { return std::exp(1 + 0.5 * normal_at(float64, i)); },
                   {throws<ValueError>("log_normal_: the standard deviation -1 is negative; use 0 or more", [] { log_normal_(ones({2}), 0, -1); })}), 4, 64),
      rounded(fill("cauchy", [](const Tensor& x) { cauchy_(x, 1, 2, fresh()); }, [](Dtype, Int i) { return 1 + 2 * std::tan((uniform_at(float64, i) - 0.5) * kPi); },
                   {throws<ValueError>("cauchy_: the scale 0 must be above 0", [] { cauchy_(ones({2}), 0, 0); })}), 4, 4096),
      fill("geometric", [](const Tensor& x) { geometric_(x, 0.25, fresh()); }, [](Dtype, Int i) { return std::max(1.0, std::ceil(exponential_at(float64, i) / -std::log1p(-0.25))); },
           {throws<ValueError>("geometric_: the probability 0 is outside (0, 1]", [] { geometric_(ones({2}), 0); })}),
      rounded(fill("gumbel", [](const Tensor& x) { gumbel_(x, fresh()); }, [](Dtype, Int i) { return -std::log(exponential_at(float64, i)); }, {throws<DtypeError>(floats_only("gumbel_"), [=] { gumbel_(whole); })}), 4, 64),
      with_corners(fill("random", [](const Tensor& x) { random_(x, 3, 103, fresh()); }, [](Dtype, Int i) { return static_cast<double>(integer_at(i, 3, 100)); },
                   {throws<ValueError>("random_: there is no integer in [3, 3); low must be below high", [] { random_(ones({2}), 3, 3); })}, kNumbers),
              {[](const Args& a, Int k) { return random_(a[0].detach().clone(), k, 5, fresh()); }, [](const Args& a, Int k) { return random_(a[0].detach().clone(), 0, k, fresh()); }}),
      fill("trunc_normal", [](const Tensor& x) { trunc_normal_(x, 0, 1, -2, 2, fresh()); }, nullptr, {throws<ValueError>("trunc_normal_: [2, 1) is no range; use finite bounds with low <= high", [] { trunc_normal_(ones({2}), 0, 1, 2, 1); })}),
      row("bernoulli", [](const Args& a) { return bernoulli(a[0], 0.3, fresh()); }, [](Dtype d, Int i) { return kept_at(d, i, 0.3); },
          {throws<ValueError>(probability("bernoulli"), [] { bernoulli(ones({2}), 1.5); }), throws<ValueError>("bernoulli: a probability is outside [0, 1] or NaN", [] { bernoulli(tensor({0.5, 1.5})); }),
           throws<DtypeError>(floats_only("bernoulli"), [=] { bernoulli(whole); })}),
      row("poisson", [](const Args& a) { return poisson(a[0] * a[0], fresh()); }, nullptr, {throws<ValueError>("poisson: a rate is negative, NaN or above 1e15", [] { poisson(tensor({-1.})); }), throws<DtypeError>(floats_only("poisson"), [=] { poisson(whole); })}),
      with_corners(indices(row("multinomial", [](const Args& a) { return multinomial(a[0].reshape({15, 7}).narrow(0, 0, 1) * a[0].reshape({15, 7}).narrow(0, 0, 1) + 1, 4, {}, fresh()); }, nullptr,
                                {throws<ValueError>("multinomial: 3 samples without replacement, but row 0 has 2 positive weights", [] { multinomial(tensor({1., 0., 2.}), 3); }),
                                 throws<ValueError>("multinomial: weight 1 of row 0 is -2; weights must be finite and not negative", [] { multinomial(tensor({1., -2.}), 1); }),
                                 throws<ValueError>("multinomial: 0 samples make no sense; use at least 1", [] { multinomial(ones({2}), 0); })})),
              {[](const Args& a, Int k) { return multinomial(ones({3}, options_of(a)), k, {.replacement = true}, fresh()); }, [](const Args& a, Int k) { return multinomial(ones({3}, options_of(a)), k, {}, fresh()); }}),
  };
  for (Row& r : list) {
    if (r.name == "multinomial") r.large = {{.shape = {105}}};
    if (r.name.starts_with("randint") || r.name == "random" || r.name == "randperm") r.also = kBool;  // too narrow for these bounds: ValueError
  }
  // kept elements are divided by 0.75; one decision per element, or per channel
  Row each = drop("dropout", [](const Tensor& x, double p) { return dropout(x, p, true, fresh()); }, {3, 5, 7}, {throws<DtypeError>(floats_only("dropout"), [=] { dropout(whole); })});
  each.whole_of = [](const std::vector<Plain>& in, Dtype d) {
    Values y;
    for (Int i = 0; i < 105; ++i) y.push_back(kept_at(d, i, 0.75) != 0 ? in[0].v[static_cast<std::size_t>(i)] / 0.75 : 0);
    return y;
  };
  list.push_back(each);
  const auto per_channel = [](const std::vector<Plain>& in, Dtype d) {
    Values y;
    const Int run = static_cast<Int>(in[0].v.size()) / (in[0].size(0) * in[0].size(1));
    for (Int i = 0; i < static_cast<Int>(in[0].v.size()); ++i) y.push_back(kept_at(d, i / run, 0.75) != 0 ? in[0].v[static_cast<std::size_t>(i)] / 0.75 : 0);
    return y;
  };
  const std::string ranks = " has rank 1; expected ";
  for (Row r : {drop("feature_dropout", [](const Tensor& x, double p) { return feature_dropout(x, p, true, fresh()); }, {5, 7, 3}, {throws<ShapeError>("feature_dropout: float32 [2]" + ranks + "at least [N, C]", [] { feature_dropout(ones({2})); })}),
                drop("dropout1d", [](const Tensor& x, double p) { return dropout1d(x, p, true, fresh()); }, {5, 7, 3}, {throws<ShapeError>("dropout1d: float32 [2]" + ranks + "2 or 3", [] { dropout1d(ones({2})); })}),
                drop("dropout2d", [](const Tensor& x, double p) { return dropout2d(x, p, true, fresh()); }, {5, 7, 2, 2}, {throws<ShapeError>("dropout2d: float32 [2]" + ranks + "3 or 4", [] { dropout2d(ones({2})); })}),
                drop("dropout3d", [](const Tensor& x, double p) { return dropout3d(x, p, true, fresh()); }, {5, 7, 1, 2, 2}, {throws<ShapeError>("dropout3d: float32 [2]" + ranks + "4 or 5", [] { dropout3d(ones({2})); })})}) {
    r.whole_of = per_channel;
    list.push_back(r);
  }
  // dropped elements become -1.7581 = -lambda alpha of selu; then a x + b restores mean 0 and variance 1 (Klambauer et al. 2017)
  const auto alpha = [](bool channels) {
    return [channels](const std::vector<Plain>& in, Dtype d) {
      constexpr double kLow = -1.7580993408473766, q = 0.75;
      const double a = 1 / std::sqrt(q + kLow * kLow * q * (1 - q)), b = -a * (1 - q) * kLow;
      Values y;
      const Int run = channels ? static_cast<Int>(in[0].v.size()) / (in[0].size(0) * in[0].size(1)) : 1;
      for (Int i = 0; i < static_cast<Int>(in[0].v.size()); ++i) y.push_back(a * (kept_at(d, i / run, q) != 0 ? in[0].v[static_cast<std::size_t>(i)] : kLow) + b);
      return y;
    };
  };
  for (Row r : {drop("alpha_dropout", [](const Tensor& x, double p) { return alpha_dropout(x, p, true, fresh()); }, {5, 7, 3}, {throws<DtypeError>(floats_only("alpha_dropout"), [=] { alpha_dropout(whole); })}),
                drop("feature_alpha_dropout", [](const Tensor& x, double p) { return feature_alpha_dropout(x, p, true, fresh()); }, {5, 7, 3}, {throws<ShapeError>("feature_alpha_dropout: float32 [2]" + ranks + "at least [N, C]", [] { feature_alpha_dropout(ones({2})); })})}) {
    r.whole_of = alpha(r.name != "alpha_dropout");
    r.magnitude = 2, r.bound = 16, r.roundings = 4;
    list.push_back(r);
  }
  return list;
}

}  // namespace rill::optable

// Tensors of random numbers. A Philox generator hands out one call number per op and a kernel does the rest; a torch-compatible
// generator is sequential and fills host memory.
#include <rill/ops/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "autograd/inplace.h"
#include "autograd/random.h"
#include "backends/api/backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"
#include "lib/core/random.h"

namespace rill {
namespace {

void check_floating(const char* op, Dtype d) { check<DtypeError>(is_floating(d), op, "{} is not supported (expected a floating dtype)", d); }
void check_std(const char* op, double std) { check<ValueError>(std >= 0, op, "the standard deviation {} is negative; use 0 or more", std); }
void check_probability(const char* op, double p) { check<ValueError>(p >= 0 && p <= 1, op, "the probability {} is outside [0, 1]", p); }
void check_bounds(const char* op, double low, double high) {
  check<ValueError>(low <= high && std::isfinite(high - low), op, "[{}, {}) is no range; use finite bounds with low <= high", low, high);
}

/// The largest value of a dtype below `high`, so that rounding never reaches the open end of [low, high).
double below(double low, double high, Dtype d) {
  if (low >= high) return high;
  if (d == Dtype::float64) return std::nextafter(high, low);
  if (d == Dtype::float32) {
    const auto f = static_cast<float>(high);
    return static_cast<double>(f) < high ? f : std::nextafter(f, static_cast<float>(low));
  }
  return high;  // 16-bit: the result is rounded once from float32 and may reach the bound
}

/// Writes random values into x whatever its strides: straight, or through a contiguous tensor of the dtype.
template <class F> const Tensor& write(const char* op, const Tensor& x, Dtype dtype, F fill) {
  check_in_place(op, x, impl(x).shape, impl(x).dtype);
  if (impl(x).contiguous && impl(x).dtype == dtype) {
    if (impl(x).numel) fill(x);
  } else {
    const Tensor dense = make_tensor(impl(x).shape, dtype, impl(x).device);
    if (impl(x).numel) fill(dense);
    kernels(x).copy(view(dense), view(x));
  }
  adopt_history(x, {});
  return x;
}

/// Where numbers come one after the other: fill(t), or for another device fill(a host tensor) and a copy. t is dense.
template <class F> void in_host_memory(const Tensor& t, F fill) {
  if (impl(t).device.is_cpu()) return fill(t);
  const Tensor host = make_tensor(impl(t).shape, impl(t).dtype, Device::cpu());
  fill(host);
  copy_between(host, t);
}
/// fill(generator, t) for a torch-compatible generator; false for another one.
template <class F> bool sequentially(const Tensor& t, const Generator& g, F fill) {
  return with_mersenne(g, [&](Mersenne& m) { in_host_memory(t, [&](const Tensor& to) { fill(m, to); }); });
}

/// n values value(i) of the tensor's floating dtype.
template <class F> void store(const Tensor& t, F value) {
  const std::int64_t n = impl(t).numel;
  auto loop = [&]<class T>(T* p) {
    for (std::int64_t i = 0; i < n; ++i) {
      if constexpr (std::is_class_v<T>) p[i] = T(static_cast<float>(value(i)));
      else p[i] = static_cast<T>(value(i));
    }
  };
  switch (impl(t).dtype) {
    case Dtype::float16: return loop(t.data<Half>());
    case Dtype::bfloat16: return loop(t.data<BFloat16>());
    case Dtype::float32: return loop(t.data<float>());
    default: return loop(t.data<double>());
  }
}

/// fill(stream, values, count), then value * factor + shift, each rounded to float32 as TensorFlow's ops do; false for another generator.
template <class F> bool fill_as_tensorflow(const char* op, const Tensor& t, double factor, double shift, const Generator& g, F fill) {
  return with_tensorflow(g, [&](TensorFlowRandom& random) {
    check<DtypeError>(impl(t).dtype == Dtype::float32, op, "a TensorFlow-compatible generator makes float32 values, not {}", impl(t).dtype);
    in_host_memory(t, [&](const Tensor& to) {
      auto* p = to.data<float>();
      const std::int64_t n = impl(to).numel;
      fill(random, p, n);
      for (std::int64_t i = 0; i < n; ++i) p[i] *= static_cast<float>(factor);
      for (std::int64_t i = 0; i < n; ++i) p[i] += static_cast<float>(shift);
    });
  });
}

void fill_uniform(const Tensor& t, double low, double high, const Generator& g) {
  if (fill_as_tensorflow("uniform_", t, static_cast<float>(high) - static_cast<float>(low), low, g, [](auto& r, float* p, std::int64_t n) { r.fill_uniform(p, n); })) return;
  const Dtype d = impl(t).dtype;
  const bool sequential = sequentially(t, g, [&](Mersenne& m, const Tensor& t) {
    if (d == Dtype::float64) return store(t, [&](std::int64_t) { return std::fma(m.uniform_double(), high - low, low); });  // PyTorch's build fuses
    const auto a = static_cast<float>(low), b = static_cast<float>(high);
    store(t, [&](std::int64_t) { return std::fma(m.uniform_float(), b - a, a); });
  });
  if (!sequential) kernels(t).random(RandomKind::uniform, next_draw(g), low, high, below(low, high, d), nullptr, view(t));
}

void fill_normal(const Tensor& t, double mean, double std, const Generator& g) {
  if (fill_as_tensorflow("normal_", t, std, mean, g, [](auto& r, float* p, std::int64_t n) { r.fill_normal(p, n); })) return;
  const Dtype d = impl(t).dtype;
  const std::int64_t n = impl(t).numel;
  const bool sequential = sequentially(t, g, [&](Mersenne& m, const Tensor& t) {
    if (n < 16) return store(t, [&](std::int64_t) { return m.normal() * std + mean; });
    if (d == Dtype::float64) return m.fill_normal(t.data<double>(), n, mean, std);
    if (d == Dtype::float32) return m.fill_normal(t.data<float>(), n, static_cast<float>(mean), static_cast<float>(std));
    std::vector<float> wide(static_cast<std::size_t>(n));
    m.fill_normal(wide.data(), n, static_cast<float>(mean), static_cast<float>(std));
    store(t, [&](std::int64_t i) { return wide[static_cast<std::size_t>(i)]; });
  });
  if (!sequential) kernels(t).random(RandomKind::normal, next_draw(g), mean, std, 0, nullptr, view(t));
}

void fill_exponential(const Tensor& t, double rate, const Generator& g) {
  if (sequentially(t, g, [&](Mersenne& m, const Tensor& t) { store(t, [&](std::int64_t) { return m.exponential() / rate; }); })) return;
  kernels(t).random(RandomKind::exponential, next_draw(g), 1 / rate, 0, 0, nullptr, view(t));
}

/// Integers in [low, low + range); range 0 stands for 2^64. `wide`: draw 64 bits whatever the range.
void fill_integers(const Tensor& t, std::int64_t low, std::uint64_t range, bool wide, const Generator& g) {
  const bool sequential = sequentially(t, g, [&](Mersenne& m, const Tensor& t) {
    auto* p = t.data<std::int64_t>();
    for (std::int64_t i = 0; i < impl(t).numel; ++i) {
      const std::uint64_t r = wide || range == 0 || range >= kTorchWideRange ? m.random64() : m.random();
      p[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (range ? r % range : r));
    }
  });
  if (!sequential) kernels(t).random_integers(next_draw(g), low, range, view(t));
}

/// The limits of the integers a dtype holds exactly.
std::pair<std::int64_t, std::int64_t> whole_range(Dtype d) {
  switch (d) {
    case Dtype::boolean: return {0, 1};
    case Dtype::uint8: return {0, 255};
    case Dtype::int8: return {-128, 127};
    case Dtype::int16: return {-32768, 32767};
    case Dtype::int32: return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case Dtype::int64: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    case Dtype::float16: return {-(1 << 11), 1 << 11};
    case Dtype::bfloat16: return {-(1 << 8), 1 << 8};
    case Dtype::float32: return {-(1 << 24), 1 << 24};
    default: return {-(std::int64_t{1} << 53), std::int64_t{1} << 53};
  }
}

void check_integers(const char* op, std::int64_t low, std::int64_t high, Dtype d) {
  check<ValueError>(low < high, op, "there is no integer in [{}, {}); low must be below high", low, high);
  const auto [least, most] = whole_range(d);
  check<ValueError>(low >= least && high - 1 <= most, op, "[{}, {}) does not fit in {}, which holds {} to {}", low, high, d, least, most);
}
std::uint64_t width(std::int64_t low, std::int64_t high) { return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low); }

Tensor fresh(const char* op, const Shape& shape, Dtype dtype, const Options& o) {
  checked_numel(op, shape, dtype);
  return empty(shape, {.dtype = dtype, .device = o.device});
}
Tensor finish(const Tensor& t, const Options& o) {
  if (o.requires_grad) t.requires_grad_();
  return t;
}
Options like(const char* op, const Tensor& x, const Options& o) {
  check_defined(op, x);
  return {.dtype = o.dtype.value_or(x.dtype()), .device = o.device == Device{} ? x.device() : o.device, .requires_grad = o.requires_grad};
}

/// Values that are computed in float64 by ops and stored in x.
template <class F> const Tensor& write_formula(const char* op, const Tensor& x, F formula) {
  check_defined(op, x);
  check_floating(op, impl(x).dtype);
  check_in_place(op, x, impl(x).shape, impl(x).dtype);  // a leaf is refused where the caller records
  NoGrad off;
  return write(op, x, Dtype::float64, [&](const Tensor& t) { kernels(t).copy(view(formula(t)), view(t)); });
}

}  // namespace

void fill_bernoulli(const Tensor& t, double p, const Generator& g) {
  if (sequentially(t, g, [&](Mersenne& m, const Tensor& t) { store(t, [&](std::int64_t) { return m.uniform_double() < p ? 1.0f : 0.0f; }); })) return;
  kernels(t).random(RandomKind::bernoulli, next_draw(g), p, 0, 0, nullptr, view(t));
}

// ---- in place --------------------------------------------------------------------------------------------------------------------

const Tensor& uniform_(const Tensor& x, double low, double high, const Generator& g) {
  const OpRange here("uniform_", x);
  check_defined("uniform_", x);
  check_floating("uniform_", impl(x).dtype);
  check_bounds("uniform_", low, high);
  return write("uniform_", x, impl(x).dtype, [&](const Tensor& t) { fill_uniform(t, low, high, g); });
}
const Tensor& Tensor::uniform_(double low, double high) const { return rill::uniform_(*this, low, high); }

const Tensor& normal_(const Tensor& x, double mean, double std, const Generator& g) {
  const OpRange here("normal_", x);
  check_defined("normal_", x);
  check_floating("normal_", impl(x).dtype);
  check_std("normal_", std);
  return write("normal_", x, impl(x).dtype, [&](const Tensor& t) { fill_normal(t, mean, std, g); });
}
const Tensor& Tensor::normal_(double mean, double std) const { return rill::normal_(*this, mean, std); }

const Tensor& exponential_(const Tensor& x, double rate, const Generator& g) {
  const OpRange here("exponential_", x);
  check_defined("exponential_", x);
  check_floating("exponential_", impl(x).dtype);
  check<ValueError>(rate > 0, "exponential_", "the rate {} must be above 0", rate);
  return write("exponential_", x, impl(x).dtype, [&](const Tensor& t) { fill_exponential(t, rate, g); });
}

const Tensor& bernoulli_(const Tensor& x, double p, const Generator& g) {
  const OpRange here("bernoulli_", x);
  check_defined("bernoulli_", x);
  check_probability("bernoulli_", p);
  return write("bernoulli_", x, is_floating(impl(x).dtype) ? impl(x).dtype : Dtype::float32, [&](const Tensor& t) { fill_bernoulli(t, p, g); });
}

namespace {
void check_probabilities(const char* op, const Tensor& p) {
  check_defined(op, p, "the tensor of probabilities");
  check_floating(op, impl(p).dtype);
  NoGrad off;
  const Tensor t = p.detach();
  check<ValueError>(!any(logical_not(logical_and(ge(t, 0), le(t, 1)))).item<bool>(), op, "a probability is outside [0, 1] or NaN");
}
}  // namespace
const Tensor& bernoulli_(const Tensor& x, const Tensor& probabilities, const Generator& g) {
  const OpRange here("bernoulli_", x, probabilities);
  check_defined("bernoulli_", x);
  check_probabilities("bernoulli_", probabilities);
  check_same_device("bernoulli_", x, probabilities);
  check<ShapeError>(broadcast_shapes(impl(x).shape, impl(probabilities).shape, "bernoulli_") == impl(x).shape, "bernoulli_", "probabilities of shape {} do not fit into {}",
                    impl(probabilities).shape, impl(x).shape);
  NoGrad off;
  const Tensor p = probabilities.detach();
  const Tensor each = p.expand(impl(x).shape).contiguous();
  return write("bernoulli_", x, impl(p).dtype, [&](const Tensor& t) {
    const bool sequential = sequentially(t, g, [&](Mersenne& m, const Tensor& t) {
      const std::vector<double> limit = each.to_vector<double>();
      const bool wide = impl(p).dtype == Dtype::float64;
      store(t, [&](std::int64_t i) { return (wide ? m.uniform_double() : static_cast<double>(m.uniform_float())) < limit[static_cast<std::size_t>(i)] ? 1.0f : 0.0f; });
    });
    const View in = view(each);
    if (!sequential) kernels(t).random(RandomKind::bernoulli_of, next_draw(g), 0, 0, 0, &in, view(t));
  });
}

const Tensor& random_(const Tensor& x, std::int64_t low, std::int64_t high, const Generator& g) {
  const OpRange here("random_", x);
  check_defined("random_", x);
  check_integers("random_", low, high, impl(x).dtype);
  return write("random_", x, Dtype::int64, [&](const Tensor& t) { fill_integers(t, low, width(low, high), false, g); });
}
const Tensor& random_(const Tensor& x, const Generator& g) {
  const OpRange here("random_", x);
  check_defined("random_", x);
  const Dtype d = impl(x).dtype;
  const auto range = static_cast<std::uint64_t>(whole_range(d).second) + 1;
  return write("random_", x, Dtype::int64, [&](const Tensor& t) { fill_integers(t, 0, range, d == Dtype::int64 || d == Dtype::float64, g); });
}

const Tensor& log_normal_(const Tensor& x, double mean, double std, const Generator& g) {
  const OpRange here("log_normal_", x);
  check_std("log_normal_", std);
  return write_formula("log_normal_", x, [&](const Tensor& t) {
    if (sequentially(t, g, [&](Mersenne& m, const Tensor& t) { store(t, [&](std::int64_t) { return std::exp(m.normal() * std + mean); }); })) return t;
    return exp(normal(mean, std, t.shape(), {.dtype = float64, .device = t.device()}, g));
  });
}
const Tensor& cauchy_(const Tensor& x, double median, double scale, const Generator& g) {
  const OpRange here("cauchy_", x);
  check<ValueError>(scale > 0, "cauchy_", "the scale {} must be above 0", scale);
  return write_formula("cauchy_", x, [&](const Tensor& t) {
    const Tensor u = rand(t.shape(), {.dtype = float64, .device = t.device()}, g);
    return tan((u - 0.5) * 3.14159265358979323846) * scale + median;
  });
}
const Tensor& geometric_(const Tensor& x, double p, const Generator& g) {
  const OpRange here("geometric_", x);
  check<ValueError>(p > 0 && p <= 1, "geometric_", "the probability {} is outside (0, 1]", p);
  return write_formula("geometric_", x, [&](const Tensor& t) {
    if (sequentially(t, g, [&](Mersenne& m, const Tensor& t) { store(t, [&](std::int64_t) { return std::ceil(std::log(m.uniform_double()) / std::log1p(-p)); }); })) return t;
    fill_exponential(t, -std::log1p(-p), g);  // p = 1: rate infinity, all exponentials are 0
    return clamp(ceil(t), 1, std::numeric_limits<double>::infinity());
  });
}
const Tensor& gumbel_(const Tensor& x, const Generator& g) {
  const OpRange here("gumbel_", x);
  return write_formula("gumbel_", x, [&](const Tensor& t) {
    fill_exponential(t, 1, g);
    return -log(t);
  });
}
const Tensor& trunc_normal_(const Tensor& x, double mean, double std, double low, double high, const Generator& g) {
  const OpRange here("trunc_normal_", x);
  check_std("trunc_normal_", std);
  check_bounds("trunc_normal_", low, high);
  check_defined("trunc_normal_", x);
  check_floating("trunc_normal_", impl(x).dtype);
  check_in_place("trunc_normal_", x, impl(x).shape, impl(x).dtype);
  const auto cdf = [&](double v) { return 0.5 * std::erfc(-(v - mean) / std * 0.70710678118654752440); };
  NoGrad off;
  const Dtype d = impl(x).dtype;
  return write("trunc_normal_", x, d, [&](const Tensor& t) {
    if (fill_as_tensorflow("trunc_normal_", t, std, mean, g, [&](auto& r, float* p, std::int64_t n) {
          check<ValueError>(low == mean - 2 * std && high == mean + 2 * std, "trunc_normal_", "a TensorFlow-compatible generator cuts at two deviations, {} to {}, not at {} and {}", mean - 2 * std, mean + 2 * std,
                            low, high);
          r.fill_truncated_normal(p, n);
        }))
      return;
    if (std == 0) return fill_uniform(t, std::clamp(mean, low, high), std::clamp(mean, low, high), g);
    fill_uniform(t, 2 * cdf(low) - 1, 2 * cdf(high) - 1, g);
    const Tensor y = clamp(erfinv(t) * (std * 1.41421356237309504880) + mean, low, high);
    kernels(t).copy(view(y), view(t));
  });
}

// ---- new tensors -----------------------------------------------------------------------------------------------------------------

Tensor rand(const Shape& shape, const Options& o, const Generator& g) {
  const OpRange here("rand");
  const Dtype dtype = o.dtype.value_or(default_dtype());
  check_floating("rand", dtype);
  const Tensor t = fresh("rand", shape, dtype, o);
  if (impl(t).numel) fill_uniform(t, 0, 1, g);
  return finish(t, o);
}
Tensor randn(const Shape& shape, const Options& o, const Generator& g) {
  const OpRange here("randn");
  const Dtype dtype = o.dtype.value_or(default_dtype());
  check_floating("randn", dtype);
  const Tensor t = fresh("randn", shape, dtype, o);
  if (impl(t).numel) fill_normal(t, 0, 1, g);
  return finish(t, o);
}
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const Options& o, const Generator& g) {
  const OpRange here("randint");
  const Dtype dtype = o.dtype.value_or(Dtype::int64);
  check_integers("randint", low, high, dtype);
  const Tensor t = fresh("randint", shape, Dtype::int64, o);
  if (impl(t).numel) fill_integers(t, low, width(low, high), false, g);
  return finish(t.to(dtype), o);
}
Tensor randint(std::int64_t high, const Shape& shape, const Options& o, const Generator& g) { return randint(0, high, shape, o, g); }

Tensor randperm(std::int64_t n, const Options& o, const Generator& g) {
  const OpRange here("randperm");
  check<ValueError>(n >= 0, "randperm", "the count {} is negative", n);
  const Dtype dtype = o.dtype.value_or(Dtype::int64);
  if (n > 0) check_integers("randperm", 0, n, dtype);
  const Tensor t = fresh("randperm", {n}, Dtype::int64, o);
  const bool sequential = sequentially(t, g, [&](Mersenne& m, const Tensor& t) {
    auto* p = t.data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) p[i] = i;
    for (std::int64_t i = 0; i + 1 < n; ++i) std::swap(p[i], p[i + static_cast<std::int64_t>(m.random() % static_cast<std::uint64_t>(n - i))]);
  });
  if (!sequential && n > 0) kernels(t).random_permutation(next_draw(g), view(t));
  return finish(t.to(dtype), o);
}

Tensor rand_like(const Tensor& x, const Options& o, const Generator& g) {
  const OpRange here("rand_like", x);
  return rand(x.shape(), like("rand_like", x, o), g);
}
Tensor randn_like(const Tensor& x, const Options& o, const Generator& g) {
  const OpRange here("randn_like", x);
  return randn(x.shape(), like("randn_like", x, o), g);
}
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, const Options& o, const Generator& g) {
  const OpRange here("randint_like", x);
  return randint(low, high, x.shape(), like("randint_like", x, o), g);
}

Tensor normal(double mean, double std, const Shape& shape, const Options& o, const Generator& g) {
  const OpRange here("normal");
  check_std("normal", std);
  const Dtype dtype = o.dtype.value_or(default_dtype());
  check_floating("normal", dtype);
  const Tensor t = fresh("normal", shape, dtype, o);
  if (impl(t).numel) fill_normal(t, mean, std, g);
  return finish(t, o);
}
Tensor normal(const Tensor& mean, const Tensor& std, const Generator& g) {
  const OpRange here("normal", mean, std);
  check_defined("normal", mean, "the mean");
  check_defined("normal", std, "the standard deviation");
  check_same_device("normal", mean, std);
  check_floating("normal", impl(mean).dtype);
  check_floating("normal", impl(std).dtype);
  const Shape shape = broadcast_shapes(impl(mean).shape, impl(std).shape, "normal");
  NoGrad off;
  check<ValueError>(!any(lt(std, 0)).item<bool>(), "normal", "a standard deviation is negative");
  const Tensor z = randn(shape, {.dtype = mean.dtype(), .device = mean.device()}, g);
  return z * std + mean;
}
Tensor normal(const Tensor& mean, double std, const Generator& g) {
  const OpRange here("normal", mean);
  check_std("normal", std);
  check_defined("normal", mean, "the mean");
  check_floating("normal", impl(mean).dtype);
  NoGrad off;
  return randn(mean.shape(), {.dtype = mean.dtype(), .device = mean.device()}, g) * std + mean;
}

Tensor bernoulli(const Tensor& probabilities, const Generator& g) {
  const OpRange here("bernoulli", probabilities);
  check_probabilities("bernoulli", probabilities);
  NoGrad off;
  return bernoulli_(make_tensor(impl(probabilities).shape, impl(probabilities).dtype, impl(probabilities).device), probabilities, g);
}
Tensor bernoulli(const Tensor& x, double p, const Generator& g) {
  const OpRange here("bernoulli", x);
  check_defined("bernoulli", x);
  check_floating("bernoulli", impl(x).dtype);
  check_probability("bernoulli", p);
  NoGrad off;
  return bernoulli_(make_tensor(impl(x).shape, impl(x).dtype, impl(x).device), p, g);
}

Tensor poisson(const Tensor& rates, const Generator& g) {
  const OpRange here("poisson", rates);
  check_defined("poisson", rates, "the tensor of rates");
  check_floating("poisson", impl(rates).dtype);
  NoGrad off;
  check<ValueError>(!any(logical_not(logical_and(ge(rates, 0), lt(rates, 1e15)))).item<bool>(), "poisson", "a rate is negative, NaN or above 1e15");
  const Tensor wide = rates.detach().to(float64).contiguous(), t = make_tensor(impl(rates).shape, Dtype::float64, impl(rates).device);
  Generator own = g;  // the kernel is counter based; a torch-compatible generator seeds one
  if (g.is_torch_compatible()) own = Generator(g.random64());
  if (impl(t).numel) kernels(t).poisson(next_draw(own), view(wide), view(t));
  return t.to(impl(rates).dtype);
}

// ---- multinomial -----------------------------------------------------------------------------------------------------------------

namespace {

void check_weights(const std::vector<double>& w, std::int64_t n, std::int64_t samples, bool replacement) {
  for (std::size_t row = 0; row * static_cast<std::size_t>(n) < w.size(); ++row) {
    std::int64_t positive = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double v = w[row * static_cast<std::size_t>(n) + static_cast<std::size_t>(i)];
      check<ValueError>(v >= 0 && std::isfinite(v), "multinomial", "weight {} of row {} is {}; weights must be finite and not negative", i, row, v);
      positive += v > 0;
    }
    check<ValueError>(positive > 0, "multinomial", "row {} has no positive weight", row);
    check<ValueError>(replacement || positive >= samples, "multinomial", "{} samples without replacement, but row {} has {} positive weights", samples, row, positive);
  }
}

/// PyTorch's way: a race of exponentials, or a search in the normalised cumulative sums.
void multinomial_sequential(Mersenne& m, const std::vector<double>& weights, std::int64_t n, bool replacement, bool wide, const Tensor& out) {
  const auto round = [wide](double v) { return wide ? v : static_cast<double>(static_cast<float>(v)); };
  const std::int64_t samples = impl(out).shape.back(), rows = static_cast<std::int64_t>(weights.size()) / n;
  auto* y = out.data<std::int64_t>();
  if (!replacement || samples == 1) {
    std::vector<double> key(weights.size());
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = round(weights[i] / round(m.exponential()));
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    for (std::int64_t row = 0; row < rows; ++row) {
      const double* k = key.data() + row * n;
      for (std::int64_t i = 0; i < n; ++i) order[static_cast<std::size_t>(i)] = i;
      std::stable_sort(order.begin(), order.end(), [k](std::int64_t a, std::int64_t b) { return k[a] > k[b]; });
      std::copy_n(order.begin(), samples, y + row * samples);
    }
    return;
  }
  std::vector<double> total(static_cast<std::size_t>(n));
  for (std::int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) total[static_cast<std::size_t>(i)] = sum = round(sum + weights[static_cast<std::size_t>(row * n + i)]);
    for (auto& t : total) t = round(t / sum);
    for (std::int64_t s = 0; s < samples; ++s) y[row * samples + s] = std::lower_bound(total.begin(), total.end() - 1, m.uniform_double()) - total.begin();
  }
}

}  // namespace

Tensor multinomial(const Tensor& weights, std::int64_t samples, MultinomialOptions options, const Generator& g) {
  const OpRange here("multinomial", weights);
  check_defined("multinomial", weights, "the tensor of weights");
  check_floating("multinomial", impl(weights).dtype);
  const Shape& shape = impl(weights).shape;
  check<ShapeError>(shape.rank() == 1 || shape.rank() == 2, "multinomial", "weights {} have rank {}; expected [n] or [rows, n]", shape, shape.rank());
  check<ValueError>(samples > 0, "multinomial", "{} samples make no sense; use at least 1", samples);
  const std::int64_t n = shape.back();
  check<ShapeError>(n > 0, "multinomial", "weights {} have no element to choose", shape);
  const Tensor wide = weights.detach().to(Dtype::float64).contiguous();
  const std::vector<double> values = wide.to_vector<double>();
  check_weights(values, n, samples, options.replacement);
  Shape out_shape = shape;
  out_shape[shape.rank() - 1] = samples;
  const Tensor out = fresh("multinomial", out_shape, Dtype::int64, {.device = impl(weights).device});
  if (values.empty()) return out;
  const bool sequential = sequentially(out, g, [&](Mersenne& m, const Tensor& out) { multinomial_sequential(m, values, n, options.replacement, impl(weights).dtype == Dtype::float64, out); });
  if (!sequential) kernels(out).multinomial(next_draw(g), view(wide), options.replacement, view(out));
  return out;
}

}  // namespace rill

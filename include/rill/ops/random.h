// Tensors of random numbers. Every function takes the generator last; without one it uses default_generator().
// The forms with a trailing underscore overwrite a tensor (any strides) and return it; they are not recorded: the values do not
// depend on the former ones, so while recording they throw GradError on a leaf that requires grad, like every write.
#pragma once

#include <rill/core/random.h>

namespace rill {

// ---- new tensors -----------------------------------------------------------------------------------------------------------

/// Uniform in [0, 1): 24 random bits in float32, 53 in float64, 11 and 8 in float16 and bfloat16.
Tensor rand(const Shape& shape, const Options& options = {}, const Generator& generator = default_generator());
/// Normal with mean 0 and standard deviation 1, by the transform of Box and Muller (1958).
Tensor randn(const Shape& shape, const Options& options = {}, const Generator& generator = default_generator());
/// Integers in [low, high), int64 unless options say otherwise. ValueError when low >= high.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, const Options& options = {}, const Generator& generator = default_generator());
Tensor randint(std::int64_t high, const Shape& shape, const Options& options = {}, const Generator& generator = default_generator());
/// The numbers 0..n-1 in random order, int64 unless options say otherwise.
Tensor randperm(std::int64_t n, const Options& options = {}, const Generator& generator = default_generator());

Tensor rand_like(const Tensor& x, const Options& options = {}, const Generator& generator = default_generator());
Tensor randn_like(const Tensor& x, const Options& options = {}, const Generator& generator = default_generator());
Tensor randint_like(const Tensor& x, std::int64_t low, std::int64_t high, const Options& options = {}, const Generator& generator = default_generator());

/// Normal with the given mean and standard deviation; tensors broadcast. ValueError for a negative deviation.
Tensor normal(double mean, double std, const Shape& shape, const Options& options = {}, const Generator& generator = default_generator());
Tensor normal(const Tensor& mean, const Tensor& std, const Generator& generator = default_generator());
Tensor normal(const Tensor& mean, double std = 1, const Generator& generator = default_generator());

/// 1 with probability probabilities[i], else 0, in the dtype of `probabilities`. ValueError outside [0, 1].
Tensor bernoulli(const Tensor& probabilities, const Generator& generator = default_generator());
/// 1 with probability p, else 0, in the shape and dtype of x.
Tensor bernoulli(const Tensor& x, double p, const Generator& generator = default_generator());

struct MultinomialOptions { bool replacement = false; };
/// Indices drawn with the weights of a row: [n] gives [samples], [rows, n] gives [rows, samples], int64. Weights need not add up to
/// one. Without replacement the order is that of drawing one after another (Efraimidis and Spirakis 2006). ValueError for negative,
/// infinite or NaN weights, a row without positive weight, or more samples than positive weights where they are not replaced.
Tensor multinomial(const Tensor& weights, std::int64_t samples, MultinomialOptions options = {}, const Generator& generator = default_generator());
/// Counts with the given rates (Knuth below rate 10, Hoermann 1993 above), in the dtype of `rates`.
Tensor poisson(const Tensor& rates, const Generator& generator = default_generator());

// ---- in place ----------------------------------------------------------------------------------------------------------------

/// Uniform in [low, high).
const Tensor& uniform_(const Tensor& x, double low = 0, double high = 1, const Generator& generator = default_generator());
const Tensor& normal_(const Tensor& x, double mean = 0, double std = 1, const Generator& generator = default_generator());
/// Normal, drawn again outside [low, high] (absolute bounds, not deviations); by inversion.
const Tensor& trunc_normal_(const Tensor& x, double mean = 0, double std = 1, double low = -2, double high = 2, const Generator& generator = default_generator());
/// e^normal(mean, std).
const Tensor& log_normal_(const Tensor& x, double mean = 1, double std = 2, const Generator& generator = default_generator());
/// Density rate e^(-rate x). ValueError unless rate > 0.
const Tensor& exponential_(const Tensor& x, double rate = 1, const Generator& generator = default_generator());
const Tensor& cauchy_(const Tensor& x, double median = 0, double scale = 1, const Generator& generator = default_generator());
/// Trials up to the first success of probability p in (0, 1]: 1, 2, ...
const Tensor& geometric_(const Tensor& x, double p, const Generator& generator = default_generator());
/// Location 0, scale 1: -log(exponential).
const Tensor& gumbel_(const Tensor& x, const Generator& generator = default_generator());
/// 1 with probability p, else 0; any dtype.
const Tensor& bernoulli_(const Tensor& x, double p = 0.5, const Generator& generator = default_generator());
const Tensor& bernoulli_(const Tensor& x, const Tensor& probabilities, const Generator& generator = default_generator());
/// Integers in [low, high); any dtype. Without bounds: 0 up to the largest value of an integer dtype, 2^24 in float32, 2^53 in float64.
const Tensor& random_(const Tensor& x, std::int64_t low, std::int64_t high, const Generator& generator = default_generator());
const Tensor& random_(const Tensor& x, const Generator& generator = default_generator());

}  // namespace rill

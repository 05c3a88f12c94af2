// Initial values of weights. Every function overwrites the tensor, outside the tape, from the default generator, and returns it.
// A weight is [out, in, kernel...]: fan_in = in * kernel size, fan_out = out * kernel size.
#pragma once

#include <string_view>

#include <rill/core/tensor.h>

namespace rill::nn::init {

struct Fan {
  std::int64_t in, out;
};
/// ShapeError below rank 2.
Fan fan(const Tensor& weight);

/// The factor by which a nonlinearity shrinks a signal, inverted: linear, conv and sigmoid 1, tanh 5/3, relu sqrt(2), selu 3/4,
/// leaky_relu sqrt(2 / (1 + slope^2)). ValueError for another name.
double gain(std::string_view nonlinearity, double slope = 0.01);

const Tensor& constant_(const Tensor& w, double value);
const Tensor& zeros_(const Tensor& w);
const Tensor& ones_(const Tensor& w);
const Tensor& uniform_(const Tensor& w, double low = 0, double high = 1);
const Tensor& normal_(const Tensor& w, double mean = 0, double std = 1);

/// Normal values drawn again while they lie outside [low, high] standard deviations of the mean: TensorFlow's truncated_normal. The
/// result is not rescaled (its deviation is 0.8796 std). PyTorch's trunc_normal_, which cuts in absolute units, is
/// rill::trunc_normal_.
struct TruncatedNormal { double mean = 0, std = 1, low = -2, high = 2; };
const Tensor& truncated_normal_(const Tensor& w, TruncatedNormal options = {});

/// U(-b, b), b = gain sqrt(6 / (fan_in + fan_out)); N(0, 2 gain^2 / (fan_in + fan_out)). Glorot and Bengio 2010.
const Tensor& xavier_uniform_(const Tensor& w, double gain = 1);
const Tensor& xavier_normal_(const Tensor& w, double gain = 1);

/// What TensorFlow starts variables with: U(-b, b), b = sqrt(6 / (fan_in + fan_out)), where fans follow its layout [kernel..., in, out]; both are
/// n for [n] and 1 for a 0-dim tensor.
const Tensor& glorot_uniform_(const Tensor& w);

/// U(-b, b), b = gain sqrt(3 / fan); N(0, gain^2 / fan). He et al. 2015. `slope` is that of leaky_relu.
enum class Mode { fan_in, fan_out };
struct Kaiming { double slope = 0; Mode mode = Mode::fan_in; std::string_view nonlinearity = "leaky_relu"; };
const Tensor& kaiming_uniform_(const Tensor& w, Kaiming options = {});
const Tensor& kaiming_normal_(const Tensor& w, Kaiming options = {});

}  // namespace rill::nn::init

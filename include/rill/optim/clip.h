// Limits on the size of gradients.
#pragma once

#include <optional>
#include <vector>

#include <rill/core/tensor.h>

namespace rill::optim {

// ---- of parameters, in place: between backward() and step() --------------------------------------------------------------------

struct ClipNormOptions {
  double norm_type = 2;              ///< p of the p-norm: above 0 or infinity
  bool error_if_nonfinite = false;   ///< ValueError, gradients unchanged; otherwise they become 0 or NaN and the result says so
  double eps = 1e-6;                 ///< the factor is max_norm / (norm + eps); 0: TensorFlow's result
};
/// The p-norm of all gradients taken together; they are multiplied by min(1, max_norm / (norm + eps)). Returns the norm before. Parameters
/// without a gradient are skipped; without any gradient the norm is 0. ValueError for a max_norm below 0.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, ClipNormOptions options = {});
/// Every element of the gradients into [-value, value]. ValueError for a negative value.
void clip_grad_value_(const std::vector<Tensor>& parameters, double value);

// ---- of any tensors, recorded: TensorFlow's clip_ops --------------------------------------------------------------------------------

/// min(max(x, low), high) with numbers or broadcasting tensors.
Tensor clip_by_value(const Tensor& x, double low, double high);
Tensor clip_by_value(const Tensor& x, const Tensor& low, const Tensor& high);
/// x c / max(|x|_2, c), over all elements or per slice along `axes`. The gradient of a zero tensor is that of x. ValueError unless c > 0.
Tensor clip_by_norm(const Tensor& x, double c, const Dims& axes = {});
/// sqrt(sum |x_i|_2^2); undefined tensors are skipped, ValueError when all are. All of one dtype.
Tensor global_norm(const std::vector<Tensor>& tensors);
/// x_i c min(1 / N, 1 / c) with the global norm N (or `use_norm`). Undefined tensors stay undefined; when N is infinite or NaN, all
/// results are NaN. ValueError unless c > 0.
struct ClippedByGlobalNorm { std::vector<Tensor> tensors; Tensor norm; };  ///< norm: before clipping
ClippedByGlobalNorm clip_by_global_norm(const std::vector<Tensor>& tensors, double c, const Tensor& use_norm = {});
/// x c min(n / |x|_2, 1 / c), n the number of elements. ValueError unless c > 0.
Tensor clip_by_average_norm(const Tensor& x, double c);

// ---- all parameters as one vector -----------------------------------------------------------------------------------------------------

/// All elements side by side, recorded. ValueError for an empty list, DtypeError when dtypes differ.
Tensor parameters_to_vector(const std::vector<Tensor>& parameters);
/// Writes the elements of a vector into the parameters, not recorded. ShapeError unless it has as many elements as they have together.
void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters);

}  // namespace rill::optim

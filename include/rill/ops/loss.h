// Loss functions. Results are one number for Reduction::mean and sum, one number per sample for none.
#pragma once

#include <cstdint>

#include <rill/core/tensor.h>

namespace rill {

enum class Reduction : std::uint8_t { none, mean, sum };

struct CrossEntropyOptions {
  Tensor weight = {};                ///< [classes]: factor per class; the mean is then weighted
  std::int64_t ignore_index = -100;  ///< targets with this value take no part and do not count in the mean
  double label_smoothing = 0;        ///< in [0, 1]: this share of the target is spread over all classes (Szegedy et al. 2016)
  Reduction reduction = Reduction::mean;
};
/// -log softmax(logits)[target]. logits: [C], [N, C] or [N, C, d...]; target: integer classes without the class axis, or
/// probabilities in the shape of the logits. Mean over no targets: NaN. ShapeError, DtypeError; IndexError names the first class outside [0, C) and its place.
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllOptions {
  Tensor weight = {};  ///< [classes]
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};
/// -log_probabilities[target]; shapes and errors as cross_entropy with integer classes.
Tensor nll_loss(const Tensor& log_probabilities, const Tensor& target, const NllOptions& options = {});

}  // namespace rill

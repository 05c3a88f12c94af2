// Loss functions. Results are one number for Reduction::mean and sum, one number per sample for none.
#pragma once

#include <cstdint>
#include <functional>

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

// The losses below are made of differentiable ops: they can be differentiated any number of times, and with respect to targets where
// those are floating point. 16-bit floats compute in float32. Input and target must have one shape (ShapeError): a silent broadcast
// would average over pairs that nobody meant; expand one first. An integer or bool target is converted to the dtype of the input.

/// (x - y)^2.
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// |x - y|.
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// d^2 / (2 beta) for d = |x - y| below beta, else d - beta / 2. Girshick 2015. beta = 0 is l1_loss.
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, double beta = 1, Reduction reduction = Reduction::mean);
/// d^2 / 2 for d = |x - y| below delta, else delta (d - delta / 2). Huber 1964.
Tensor huber_loss(const Tensor& input, const Tensor& target, double delta = 1, Reduction reduction = Reduction::mean);
/// -weight (y log x + (1 - y) log(1 - x)), both logarithms at least -100; weight broadcasts. ValueError for x outside [0, 1].
Tensor binary_cross_entropy(const Tensor& input, const Tensor& target, const Tensor& weight = {}, Reduction reduction = Reduction::mean);
struct LogitsOptions {
  Tensor weight = {};      ///< factor, broadcasts to the input
  Tensor pos_weight = {};  ///< factor of the term of y, broadcasts to the input (TensorFlow's weighted_cross_entropy_with_logits)
  Reduction reduction = Reduction::mean;
};
/// binary_cross_entropy of sigmoid(x), without overflow.
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target, const LogitsOptions& options = {});
struct KlDivOptions {
  bool log_target = false;  ///< the target is a log-probability too
  bool batch_mean = false;  ///< with Reduction::mean: divide by the size of the first axis instead of by all elements
  Reduction reduction = Reduction::mean;
};
/// y (log y - x) for log-probabilities x and probabilities y; 0 where y is 0. Kullback and Leibler 1951.
Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& options = {});

/// 1 - cos(a, b) for target 1, max(0, cos(a, b) - margin) for target -1. a and b: [N, D] with target [N], or [D] with a 0-dim target.
Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin = 0, Reduction reduction = Reduction::mean);
/// max(0, margin - y (a - b)), y = 1 or -1.
Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& target, double margin = 0, Reduction reduction = Reduction::mean);
/// x for target 1, max(0, margin - x) for target -1.
Tensor hinge_embedding_loss(const Tensor& input, const Tensor& target, double margin = 1, Reduction reduction = Reduction::mean);
struct TripletOptions {
  double margin = 1, p = 2, eps = 1e-6;
  bool swap = false;       ///< the distance of the negative is the smaller one to anchor and positive (Balntas et al. 2016)
  Reduction reduction = Reduction::mean;
};
/// max(0, margin + d(anchor, positive) - d(anchor, negative)) with pairwise_distance.
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const TripletOptions& options = {});
using DistanceFunction = std::function<Tensor(const Tensor&, const Tensor&)>;
struct TripletDistanceOptions {
  double margin = 1;
  bool swap = false;
  Reduction reduction = Reduction::mean;
};
/// The same with a distance of the caller's.
Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, const DistanceFunction& distance, const TripletDistanceOptions& options = {});
/// log(1 + e^(-y x)), y = 1 or -1.
Tensor soft_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
struct MultiMarginOptions {
  int p = 1;               ///< 1 or 2
  double margin = 1;
  Tensor weight = {};      ///< [classes]
  Reduction reduction = Reduction::mean;
};
/// sum over classes j other than y of weight[y] max(0, margin - x[y] + x[j])^p / classes. input [N, C] with target [N], or [C] with
/// a 0-dim target. IndexError for a class outside.
Tensor multi_margin_loss(const Tensor& input, const Tensor& target, const MultiMarginOptions& options = {});
/// sum over classes j of the target and k not of it of max(0, 1 - x[j] + x[k]) / classes. input and target [N, C] or [C]; a target row
/// lists classes up to the first -1.
Tensor multilabel_margin_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// binary_cross_entropy_with_logits averaged over the classes (last axis); weight [classes].
Tensor multilabel_soft_margin_loss(const Tensor& input, const Tensor& target, const Tensor& weight = {}, Reduction reduction = Reduction::mean);
struct PoissonNllOptions {
  bool log_input = true;   ///< the input is the logarithm of the rate
  bool full = false;       ///< adds Stirling's approximation of log(y!) for y above 1
  double eps = 1e-8;       ///< added to the rate before the logarithm
  Reduction reduction = Reduction::mean;
};
/// e^x - y x (TensorFlow's log_poisson_loss), or x - y log(x + eps): -log of the Poisson probability of y, up to log(y!).
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllOptions& options = {});
struct GaussianNllOptions {
  bool full = false;       ///< adds log(2 pi) / 2
  double eps = 1e-6;       ///< smallest variance; the limit does not touch the gradient
  Reduction reduction = Reduction::mean;
};
/// (log var + (x - y)^2 / var) / 2. var has the input's shape, or 1 in its last axis, or no last axis. ValueError for var < 0.
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var, const GaussianNllOptions& options = {});

struct CtcOptions {
  std::int64_t blank = 0;      ///< the class that stands for "no label"
  bool zero_infinity = false;  ///< a target that cannot fit into its input has loss and gradient 0 instead of inf and NaN
  Reduction reduction = Reduction::mean;
};
/// Connectionist temporal classification: -log of the probability that the labels of a target appear in this order, each for one or more
/// steps and with blanks around and between them (always between equal labels). log_probabilities [T, N, C] (or [T, C] for one sample), as
/// from log_softmax; targets [N, S], of which a row's first target_lengths[n] count, or all labels one after the other, [sum of
/// target_lengths]; int64 or int32. The mean first divides each loss by its target's length (at least 1). Differentiable once. ValueError
/// for a length outside its range or a blank in a target, IndexError for a label outside [0, C). Graves et al. 2006.
Tensor ctc_loss(const Tensor& log_probabilities, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths, const CtcOptions& options = {});

/// sum(x^2) / 2, in one pass: TensorFlow's tf.nn.l2_loss. DtypeError for x that is not floating point.
Tensor l2_loss(const Tensor& x);

/// sum(a b) / (max(|a|, eps) max(|b|, eps)) along an axis; a and b broadcast.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, std::int64_t axis = 1, double eps = 1e-8);
/// p-norm of a - b + eps along the last axis; a and b broadcast.
Tensor pairwise_distance(const Tensor& a, const Tensor& b, double p = 2, double eps = 1e-6, bool keepdim = false);
/// x / max(p-norm along the axis, eps).
Tensor normalize(const Tensor& x, double p = 2, std::int64_t axis = 1, double eps = 1e-12);

}  // namespace rill

// Penalties on the size of weights: scalars to be added to the loss.
#pragma once

#include <string>
#include <vector>

#include <rill/core/named_tensors.h>

namespace rill::optim {

/// scale * sum(w^2) / 2 over all tensors; its gradient is scale * w, as that of weight_decay = scale. ValueError for a negative scale or an
/// empty list; so below.
Tensor l2(const std::vector<Tensor>& weights, double scale);
/// scale * sum(|w|); its gradient at 0 is 0.
Tensor l1(const std::vector<Tensor>& weights, double scale);
/// l1 + l2 (the elastic net of Zou and Hastie 2005).
struct ElasticScales { double l1 = 0, l2 = 0; };
Tensor elastic(const std::vector<Tensor>& weights, ElasticScales scales);
/// The parameters that are usually penalised: rank 2 and above, so no biases and no scales of normalisations.
std::vector<Tensor> decayable(const NamedTensors& parameters);

/// Collects the terms of a loss where they arise, in place of TensorFlow's collections: parts of a model add their terms to a collector that is
/// passed to them, the training step asks for the total. One per step.
class LossCollector {
 public:
  /// Adds a scalar and returns it; without a name it is called "loss", "loss_1", ... ShapeError unless it has one element, ValueError
  /// when the name is taken.
  Tensor add(const Tensor& loss, const std::string& name = {});
  /// The same for a term of the regularisation: "regularization", "regularization_1", ...
  Tensor add_regularization(const Tensor& term, const std::string& name = {});

  /// Sums over the terms, recorded. FailedPrecondition when there are none to add up.
  Tensor total() const;
  Tensor loss() const;
  Tensor regularization() const;
  /// By name, in the order of adding: what a log shows.
  const NamedTensors& losses() const { return losses_; }
  const NamedTensors& regularizations() const { return regularizations_; }
  void clear();

 private:
  Tensor add(NamedTensors& to, const char* kind, const Tensor& term, const std::string& name);
  NamedTensors losses_, regularizations_;
};

}  // namespace rill::optim

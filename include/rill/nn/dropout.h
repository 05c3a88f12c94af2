// Dropout layers: active in training, the identity in evaluation. Formulas and errors are those of rill/ops/dropout.h.
#pragma once

#include <rill/nn/module.h>
#include <rill/ops/dropout.h>

namespace rill::nn {

/// What all of them have in common. ValueError for a probability outside [0, 1].
class DropoutLayer : public Module {
 public:
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& parts) override { parts.mode(training); }
  std::string describe() const override;

  double p;  ///< the probability to drop
  bool training = true;

 protected:
  using Op = Tensor (*)(const Tensor&, double, bool, const Generator&);
  DropoutLayer(const char* layer, Op op, double p);

 private:
  Op op_;
};

/// Single elements. Srivastava et al. 2014.
struct Dropout : DropoutLayer { explicit Dropout(double p = 0.5) : DropoutLayer("Dropout", dropout, p) {} };
/// Whole channels of [N, C, L], [N, C, H, W] or [N, C, D, H, W]. Tompson et al. 2015.
struct Dropout1d : DropoutLayer { explicit Dropout1d(double p = 0.5) : DropoutLayer("Dropout1d", dropout1d, p) {} };
struct Dropout2d : DropoutLayer { explicit Dropout2d(double p = 0.5) : DropoutLayer("Dropout2d", dropout2d, p) {} };
struct Dropout3d : DropoutLayer { explicit Dropout3d(double p = 0.5) : DropoutLayer("Dropout3d", dropout3d, p) {} };
/// For selu networks: mean and variance are kept. Klambauer et al. 2017.
struct AlphaDropout : DropoutLayer { explicit AlphaDropout(double p = 0.5) : DropoutLayer("AlphaDropout", alpha_dropout, p) {} };
struct FeatureAlphaDropout : DropoutLayer { explicit FeatureAlphaDropout(double p = 0.5) : DropoutLayer("FeatureAlphaDropout", feature_alpha_dropout, p) {} };

}  // namespace rill::nn

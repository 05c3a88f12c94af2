// The multilayer perceptron.
#pragma once

#include <functional>
#include <vector>

#include <rill/nn/dropout.h>
#include <rill/nn/linear.h>

namespace rill::nn::models {

struct MlpOptions {
  std::function<Tensor(const Tensor&)> activation = {};  ///< after every layer but the last; relu unless given
  double dropout = 0;                                    ///< after every activation
  bool bias = true;
  Options tensor = {};
};

/// Linear layers of the given sizes with an activation between them: Mlp({784, 500, 10}) takes [.., 784] to [.., 10].
class Mlp : public Module {
 public:
  /// ValueError for fewer than two sizes.
  explicit Mlp(const std::vector<std::int64_t>& sizes, const MlpOptions& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("layers", layers)("dropout", dropout); }

  std::vector<Linear> layers;
  Dropout dropout;
  std::function<Tensor(const Tensor&)> activation;
};

}  // namespace rill::nn::models

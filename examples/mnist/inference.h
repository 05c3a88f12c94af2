// The network that mnist_train, mnist_eval and mnist_inference share: images -> hidden layer with ReLU -> one logit per class.
#pragma once

#include <optional>
#include <string>

#include <rill/rill.h>

namespace mnist {

struct ModelOptions {
  std::int64_t inputs = 28 * 28, hidden = 500, classes = 10;  // hidden = 0: no hidden layer
  bool activation = true;
};

class Model : public rill::nn::Module {
 public:
  /// Weights: normal with deviation 0.1, cut at two deviations; biases 0.
  explicit Model(const ModelOptions& options);
  /// [n, inputs] -> logits [n, classes]
  rill::Tensor operator()(const rill::Tensor& images) const;
  void parts(rill::nn::Parts& p) override { p("layer1", layer1)("layer2", layer2); }

  ModelOptions options;
  std::optional<rill::nn::Linear> layer1;
  rill::nn::Linear layer2;
};

/// The model of a checkpoint, with the averaged weights where it holds any (unless told otherwise).
Model model_of(const rill::io::Checkpoint& checkpoint, bool averaged = true);
/// What model_of reads back.
void describe(const ModelOptions& options, rill::io::State& state);

/// The share of images whose largest logit is that of the label.
double accuracy(const Model& model, const rill::data::ImageSet& set);

}  // namespace mnist

#include "examples/mnist/inference.h"

#include <algorithm>

namespace mnist {

using namespace rill;

Model::Model(const ModelOptions& o) : options(o), layer2(o.hidden > 0 ? o.hidden : o.inputs, o.classes) {
  if (o.hidden > 0) layer1.emplace(o.inputs, o.hidden);
  const auto initialise = [](nn::Linear& layer) {
    nn::init::truncated_normal_(layer.weight, {.std = 0.1});
    nn::init::zeros_(layer.bias);
  };
  if (layer1) initialise(*layer1);
  initialise(layer2);
}

Tensor Model::operator()(const Tensor& images) const {
  if (!layer1) return layer2(images);
  const Tensor hidden = (*layer1)(images);
  return layer2(options.activation ? relu(hidden) : hidden);
}

void describe(const ModelOptions& o, io::State& state) {
  state["model.inputs"] = o.inputs;
  state["model.hidden"] = o.hidden;
  state["model.classes"] = o.classes;
  state["model.activation"] = o.activation;
}

Model model_of(const io::Checkpoint& checkpoint, bool use_averages) {
  const auto& s = checkpoint.state;
  Model model({.inputs = io::get<std::int64_t>(s, "model.inputs"), .hidden = io::get<std::int64_t>(s, "model.hidden"),
               .classes = io::get<std::int64_t>(s, "model.classes"), .activation = io::get<bool>(s, "model.activation")});
  model.load(without_prefix("model.", use_averages ? optim::averaged(checkpoint.tensors) : checkpoint.tensors), {.allow_unexpected = true});
  return model;
}

double accuracy(const Model& model, const data::ImageSet& set) {
  const InferenceMode inference;
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < set.size(); i += 1000) {
    const auto [images, labels] = set.range(i, std::min<std::int64_t>(1000, set.size() - i));
    right += sum(eq(argmax(model(images), 1), labels)).item<std::int64_t>();
  }
  return set.size() > 0 ? static_cast<double>(right) / static_cast<double>(set.size()) : 0;
}

}  // namespace mnist

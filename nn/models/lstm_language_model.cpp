#include <rill/nn/models/lstm_language_model.h>

#include <rill/autograd/grad_mode.h>
#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/linalg.h>

#include "lib/core/check.h"

namespace rill::nn::models {

LstmLanguageModel::LstmLanguageModel(const LstmLanguageModelOptions& o)
    : encoder(o.vocabulary, o.embedding, {.tensor = o.tensor}), rnn(o.embedding, o.hidden, {.num_layers = o.layers, .batch_first = true, .dropout = o.dropout, .tensor = o.tensor}),
      decoder_bias(zeros({o.vocabulary}, o.tensor)), dropout(o.dropout) {
  check<ValueError>(!o.tie_weights || o.embedding == o.hidden, "LstmLanguageModel", "tied weights need an embedding as wide as the hidden layer, not {} and {}", o.embedding, o.hidden);
  if (!o.tie_weights) decoder_weight = Parameter(empty({o.vocabulary, o.hidden}, o.tensor));
  const NoGrad off;
  for (const auto& [name, p] : named_parameters()) {
    if (p.dim() > 1) init::uniform_(p, -o.init, o.init);
    else init::zeros_(p);
  }
  for (const auto& layer : rnn.weights) layer.bias_ih.narrow(0, o.hidden, o.hidden).fill_(o.forget_bias);  // gates: input, forget, cell, output
}

void LstmLanguageModel::parts(Parts& p) {
  p("encoder", encoder)("rnn", rnn);
  p("decoder.weight", decoder_weight.defined() ? decoder_weight : encoder.weight)("decoder.bias", decoder_bias)("dropout", dropout);
}

SequenceResult<LSTMState> LstmLanguageModel::operator()(const Tensor& tokens, const LSTMState& state) const {
  return call(tokens, [&](const Tensor& tokens) {
    auto [output, last] = rnn(dropout(encoder(tokens)), {.initial = state});
    return SequenceResult<LSTMState>{linear(dropout(output), decoder_weight.defined() ? decoder_weight : encoder.weight, decoder_bias), last};
  });
}

LSTMState detach(const LSTMState& state) { return {state.h.detach(), state.c.detach()}; }

}  // namespace rill::nn::models

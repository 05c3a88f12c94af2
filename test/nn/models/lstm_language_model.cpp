#include "test/nn/models/filled.h"

#include <rill/autograd/grad_mode.h>
#include <rill/nn/models/lstm_language_model.h>
#include <rill/ops/shape.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn;
using namespace rill::nn::models;

TEST_CASE("LstmLanguageModel: values and gradients are those of PyTorch's layers, the state handed on", "[nn][models]") {
  const auto check = [](LstmLanguageModel m, const char* name) {
    nn::check_parts(m);
    check_training(m, name, tokens(), [&](const Tensor& x) {
      const auto [first, state] = m(x.narrow(1, 0, 2));
      return cat({first, m(x.narrow(1, 2, 3), state).output}, 1);
    });
  };
  check(LstmLanguageModel({.vocabulary = 11, .embedding = 4, .hidden = 6, .tensor = kDouble}), "lstm_language_model");
  check(LstmLanguageModel({.vocabulary = 11, .embedding = 6, .hidden = 6, .tie_weights = true, .tensor = kDouble}), "lstm_language_model_tied");
}

TEST_CASE("LstmLanguageModel: numbers of parameters of the paper's networks and the course's", "[nn][models]") {
  // V E + layers 4 H (in + H + 2) + V H + V
  CHECK(LstmLanguageModel().parameter_count() == 10000 * 200 + 2 * 800 * 402 + 10000 * 201);
  CHECK(LstmLanguageModel(LstmLanguageModelOptions::course()).parameter_count() == 10000 * 300 + 2 * 1200 * 602 + 10000);
  CHECK(LstmLanguageModelOptions::medium().hidden == 650);
  CHECK(LstmLanguageModelOptions::large().hidden == 1500);
}

TEST_CASE("LstmLanguageModel: start, dropout, truncated back-propagation", "[nn][models]") {
  auto o = LstmLanguageModelOptions::course();
  o.vocabulary = 50;
  LstmLanguageModel m(o);
  CHECK(max(abs(m.encoder.weight)).item<double>() == Approx(0.05).epsilon(0.01));
  CHECK(max(abs(m.rnn.weights[1].hh)).item<double>() == Approx(0.05).epsilon(0.01));
  for (const auto& layer : m.rnn.weights) {
    CHECK(equal(layer.bias_ih, cat({zeros({300}), ones({300}), zeros({600})})));
    CHECK(equal(layer.bias_hh, zeros({1200})));
  }
  CHECK(sum(abs(m.decoder_bias)).item<double>() == 0);
  const Tensor x = tokens();
  CHECK_FALSE(equal(m(x).output, m(x).output));
  m.eval();
  const auto first = m(x);
  CHECK(equal(first.output, m(x).output));
  // a copy stays tied to its own embedding
  LstmLanguageModel copy = m;
  {
    const NoGrad off;
    copy.encoder.weight.mul_(2);
  }
  CHECK(equal(m(x).output, first.output));
  CHECK(equal(find(copy.state(), "decoder.weight"), copy.encoder.weight));

  const LSTMState state = detach(first.state);
  CHECK(first.state.h.requires_grad());
  CHECK_FALSE(state.h.requires_grad());
  CHECK_FALSE(state.c.requires_grad());
  CHECK(state.c.shares_storage(first.state.c));
  CHECK(equal(m(x, state).output, m(x, first.state).output));
}

TEST_CASE("LstmLanguageModel refuses what cannot work", "[nn][models]") {
  CHECK(MESSAGE(ValueError, LstmLanguageModel({.vocabulary = 5, .embedding = 4, .hidden = 6, .tie_weights = true})) ==
        "LstmLanguageModel: tied weights need an embedding as wide as the hidden layer, not 4 and 6");
}

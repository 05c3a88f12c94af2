// A recurrent language model (Zaremba, Sutskever, Vinyals 2014, "Recurrent neural network regularization"). State names are those of
// PyTorch's word_language_model: encoder.weight, rnn.weight_ih_l0, ..., decoder.weight, decoder.bias.
#pragma once

#include <rill/nn/dropout.h>
#include <rill/nn/embedding.h>
#include <rill/nn/rnn.h>

namespace rill::nn::models {

/// The defaults are the paper's small network.
struct LstmLanguageModelOptions {
  std::int64_t vocabulary = 10000, embedding = 200, hidden = 200, layers = 2;
  double dropout = 0;        ///< of what goes up: words, outputs of layers; never of what goes on in time
  double init = 0.1;         ///< weights start uniform in +-init, biases with 0
  double forget_bias = 0;    ///< where the bias of the forget gates starts; TensorFlow's cells add 1
  bool tie_weights = false;  ///< scores are products with the embedding (Press and Wolf 2017); embedding = hidden
  Options tensor = {};
  /// 650 units, dropout 0.5, init 0.05.
  static LstmLanguageModelOptions medium() { return {.embedding = 650, .hidden = 650, .dropout = 0.5, .init = 0.05}; }
  /// 1500 units, dropout 0.65, init 0.04.
  static LstmLanguageModelOptions large() { return {.embedding = 1500, .hidden = 1500, .dropout = 0.65, .init = 0.04}; }
  /// 300 units, dropout 0.1, init 0.05, forget bias 1, tied weights.
  static LstmLanguageModelOptions course() { return {.embedding = 300, .hidden = 300, .dropout = 0.1, .init = 0.05, .forget_bias = 1, .tie_weights = true}; }
};

/// tokens int64 [N, T] -> logits [N, T, vocabulary] of the next ones, and the state after the last step. Training goes on with a state that is
/// detached: truncated back-propagation through time.
class LstmLanguageModel : public Module {
 public:
  /// ValueError for sizes below 1, and for tied weights of different sizes.
  explicit LstmLanguageModel(const LstmLanguageModelOptions& options = {});
  /// An undefined state stands for zeros.
  SequenceResult<LSTMState> operator()(const Tensor& tokens, const LSTMState& state = {}) const;
  void parts(Parts& p) override;

  Embedding encoder;
  LSTM rnn;
  Parameter decoder_weight;  ///< [vocabulary, hidden]; absent when tied
  Parameter decoder_bias;
  Dropout dropout;
};

/// The same values, off the tape.
LSTMState detach(const LSTMState& state);

}  // namespace rill::nn::models

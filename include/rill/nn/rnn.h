// Recurrent layers, with PyTorch's parameter names, order of gates and start.
//
//   nn::LSTM lstm(10, 20, {.num_layers = 2, .batch_first = true});
//   auto [output, state] = lstm(x);                                   // x [N, T, 10], output [N, T, 20], state.h [2, N, 20]
//   auto [next, last] = lstm(y, {.initial = state, .lengths = {5, 3}});  // rows of different lengths
//
// x is [T, N, in] ([N, T, in] with batch_first), or [T, in] without a batch; the output has `out` features for each direction, side by side.
// States are [layers * directions, N, out] (without batch: [layers * directions, out]), the first layer first, forward before reverse, whatever
// batch_first says. With `lengths` each row counts only so many steps: beyond them its output is zero, and its final state is that
// after its own last step; the reverse direction starts there. A packed sequence gives a packed output.
// Errors name what does not fit: ShapeError for x or states, ValueError for lengths outside [0, T].
#pragma once

#include <rill/nn/module.h>
#include <rill/nn/packed_sequence.h>
#include <rill/ops/rnn.h>

namespace rill::nn {

/// How a recurrent layer is called.
template <class State> struct SequenceCall {
  State initial = {};                       ///< undefined tensors stand for zeros
  std::vector<std::int64_t> lengths = {};   ///< steps of each row that count; empty: all
};
template <class State> struct SequenceResult {
  Tensor output;
  State state;
};
template <class State> struct PackedResult {
  PackedSequence output;
  State state;
};

namespace detail {

struct RecurrentSettings {
  std::int64_t num_layers = 1;
  bool bias = true, batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;
  Options tensor = {};
};

/// What RNN, LSTM and GRU have in common: the weights of all layers and the way through them.
class Recurrent : public Module {
 public:
  struct Weights {  // of one layer and direction
    Parameter ih, hh, bias_ih, bias_hh, hr;
  };
  void parts(Parts& p) override;
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;

  std::int64_t input_size, hidden_size;
  RecurrentSettings settings;
  bool training = true;
  std::vector<Weights> weights;  ///< layer by layer, forward before reverse

 protected:
  using States = std::vector<Tensor>;  // h, or h and c
  Recurrent(const char* layer, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size, const RecurrentSettings& settings);
  /// Output and final states, [N, features] each, of one layer in one direction.
  virtual std::pair<Tensor, States> one(const Weights& w, const Tensor& x, const States& initial, const SequenceOptions& options) const = 0;
  SequenceResult<States> run(const Tensor& x, const States& initial, const std::vector<std::int64_t>& lengths) const;
  PackedResult<States> run_packed(const PackedSequence& x, const States& initial) const;

 private:
  PackedResult<States> run(const PackedSequence& x, const States& initial) const;
  std::pair<Tensor, States> stack_of_layers(Tensor x, const States& initial, const std::vector<std::int64_t>& batch_sizes) const;
  States checked_states(const Tensor& x, const States& given, std::int64_t rows, bool batched) const;
  const char* layer_;
};

/// Whose state is h alone.
class SingleStateRecurrent : public Recurrent {
 public:
  SequenceResult<Tensor> operator()(const Tensor& x, const SequenceCall<Tensor>& options = {}) const;
  PackedResult<Tensor> operator()(const PackedSequence& x, const SequenceCall<Tensor>& options = {}) const;

 protected:
  using Recurrent::Recurrent;
};

}  // namespace detail

struct RNNOptions {
  std::int64_t num_layers = 1;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;          ///< of the outputs of all layers but the last, in training
  bool bidirectional = false;
  Options tensor = {};         ///< dtype and device of the parameters
};
/// h = f(W_ih x + b_ih + W_hh h + b_hh) at each step. All parameters start uniform in +-1 / sqrt(hidden_size).
class RNN : public detail::SingleStateRecurrent {
 public:
  /// ValueError for sizes or num_layers below 1 and a dropout outside [0, 1].
  RNN(std::int64_t input_size, std::int64_t hidden_size, const RNNOptions& options = {});
  RnnNonlinearity nonlinearity;

 private:
  std::pair<Tensor, States> one(const Weights& w, const Tensor& x, const States& initial, const SequenceOptions& options) const override;
};

struct GRUOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  Options tensor = {};
};
/// rill::gru_layer, stacked.
class GRU : public detail::SingleStateRecurrent {
 public:
  GRU(std::int64_t input_size, std::int64_t hidden_size, const GRUOptions& options = {});

 private:
  std::pair<Tensor, States> one(const Weights& w, const Tensor& x, const States& initial, const SequenceOptions& options) const override;
};

struct LSTMOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;  ///< h is projected to so many features; 0: not
  Options tensor = {};
};
struct LSTMState {
  Tensor h, c;
};
/// rill::lstm_layer, stacked.
class LSTM : public detail::Recurrent {
 public:
  /// ValueError also unless proj_size is in [0, hidden_size).
  LSTM(std::int64_t input_size, std::int64_t hidden_size, const LSTMOptions& options = {});
  SequenceResult<LSTMState> operator()(const Tensor& x, const SequenceCall<LSTMState>& options = {}) const;
  PackedResult<LSTMState> operator()(const PackedSequence& x, const SequenceCall<LSTMState>& options = {}) const;

 private:
  std::pair<Tensor, States> one(const Weights& w, const Tensor& x, const States& initial, const SequenceOptions& options) const override;
};

}  // namespace rill::nn

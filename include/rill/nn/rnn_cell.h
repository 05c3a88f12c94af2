// One step of RNN, GRU and LSTM with PyTorch's parameter names, order of gates and start: uniform in +-1 / sqrt(hidden_size).
// x is [N, in], or [in] without a batch; states accordingly, undefined ones are zeros.
#pragma once

#include <rill/nn/cell.h>
#include <rill/nn/rnn.h>

namespace rill::nn {

namespace detail {
/// What the three have in common.
class TorchCell : public Cell {
 public:
  void parts(Parts& p) override { p("weight_ih", weight_ih)("weight_hh", weight_hh)("bias_ih", bias_ih)("bias_hh", bias_hh); }
  std::string describe() const override;
  std::int64_t flops(const Tensor& x, const Tensor& y) const override;
  std::int64_t input_size() const override { return weight_ih.size(1); }
  std::int64_t output_size() const override { return weight_hh.size(1); }
  std::vector<StatePart> state_parts() const override { return {{output_size()}}; }

  Parameter weight_ih, weight_hh, bias_ih, bias_hh;

 protected:
  TorchCell(const char* layer, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size, bool bias, const Options& options);
  /// Runs a step with or without a batch.
  CellState run(const Tensor& x, const CellState& state) const;
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const final;

 private:
  const char* layer_;
};
}  // namespace detail

struct RNNCellOptions {
  bool bias = true;
  RnnNonlinearity nonlinearity = RnnNonlinearity::tanh;
  Options tensor = {};
};
class RNNCell : public detail::TorchCell {
 public:
  /// ValueError for sizes below 1.
  RNNCell(std::int64_t input_size, std::int64_t hidden_size, const RNNCellOptions& options = {})
      : TorchCell("RNNCell", 1, input_size, hidden_size, options.bias, options.tensor), nonlinearity(options.nonlinearity) {}
  Tensor operator()(const Tensor& x, const Tensor& h = {}) const { return run(x, {h})[0]; }
  std::string describe() const override;
  RnnNonlinearity nonlinearity;

 protected:
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

struct GateCellOptions {
  bool bias = true;
  Options tensor = {};
};
class GRUCell : public detail::TorchCell {
 public:
  GRUCell(std::int64_t input_size, std::int64_t hidden_size, const GateCellOptions& options = {}) : TorchCell("GRUCell", 3, input_size, hidden_size, options.bias, options.tensor) {}
  Tensor operator()(const Tensor& x, const Tensor& h = {}) const { return run(x, {h})[0]; }

 protected:
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

/// auto [h, c] = cell(x, {h, c});  as a Cell, its state is h, then c.
class LSTMCell : public detail::TorchCell {
 public:
  LSTMCell(std::int64_t input_size, std::int64_t hidden_size, const GateCellOptions& options = {}) : TorchCell("LSTMCell", 4, input_size, hidden_size, options.bias, options.tensor) {}
  LSTMState operator()(const Tensor& x, const LSTMState& state = {}) const;
  std::vector<StatePart> state_parts() const override { return {{output_size()}, {output_size(), true}}; }

 protected:
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

}  // namespace rill::nn

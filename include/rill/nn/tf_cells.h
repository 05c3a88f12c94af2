// The cells of TensorFlow 1.x with its weights: kernels [in + units, gates * units] for the input and the state side by side, one bias.
// Kernels start as glorot_uniform unless an initializer is given, biases with 0 (those of the GRU's gates with 1).
#pragma once

#include <functional>
#include <limits>

#include <rill/nn/cell.h>

namespace rill::nn::tf {

using Initializer = std::function<void(const Tensor&)>;

struct CellOptions {
  Initializer kernel_initializer = {}, bias_initializer = {};
  Options tensor = {};  ///< dtype and device of the parameters
};

/// h = tanh([x, h] kernel + bias). State: h.
class BasicRNNCell : public Cell {
 public:
  /// ValueError for sizes below 1.
  BasicRNNCell(std::int64_t input_size, std::int64_t units, const CellOptions& options = {});
  void parts(Parts& p) override { p("kernel", kernel)("bias", bias); }
  std::string describe() const override;
  std::int64_t input_size() const override { return kernel.size(0) - output_size(); }
  std::int64_t output_size() const override { return kernel.size(1); }
  std::vector<StatePart> state_parts() const override { return {{output_size()}}; }
  NamedTensors variables(const std::string& scope) const override { return Cell::variables(scope + "/basic_rnn_cell"); }

  Parameter kernel, bias;

 protected:
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const override;
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

struct LSTMCellOptions {
  bool use_peepholes = false;
  double cell_clip = std::numeric_limits<double>::infinity();  ///< of c, before it reaches the output gate
  Initializer initializer = {};                                ///< of the kernel, the peepholes and the projection
  std::int64_t num_proj = 0;                                   ///< h is projected to so many features; 0: not
  double proj_clip = std::numeric_limits<double>::infinity();
  double forget_bias = 1;                                      ///< added at run time, not part of the bias
  Options tensor = {};
};
/// rill::lstm_layer with gates in the order i, j, f, o (j: the candidate). State: c, h.
class LSTMCell : public Cell {
 public:
  /// ValueError for sizes below 1, clips that are not positive, and a proj_clip without num_proj.
  LSTMCell(std::int64_t input_size, std::int64_t units, const LSTMCellOptions& options = {}) : LSTMCell("LSTMCell", input_size, units, options) {}
  void parts(Parts& p) override;
  std::string describe() const override;
  std::int64_t input_size() const override { return kernel.size(0) - output_size(); }
  std::int64_t output_size() const override { return projection.defined() ? projection.size(1) : units(); }
  std::int64_t units() const { return kernel.size(1) / 4; }
  std::vector<StatePart> state_parts() const override { return {{units(), true}, {output_size()}}; }
  NamedTensors variables(const std::string& scope) const override { return Cell::variables(scope + "/lstm_cell"); }

  Parameter kernel, bias, w_f_diag, w_i_diag, w_o_diag, projection;
  double forget_bias, cell_clip, proj_clip;

 protected:
  LSTMCell(const char* name, std::int64_t input_size, std::int64_t units, const LSTMCellOptions& options);
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const override;
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

struct BasicLSTMCellOptions {
  double forget_bias = 1;
  Options tensor = {};
};
class BasicLSTMCell : public LSTMCell {
 public:
  BasicLSTMCell(std::int64_t input_size, std::int64_t units, const BasicLSTMCellOptions& options = {})
      : LSTMCell("BasicLSTMCell", input_size, units, {.forget_bias = options.forget_bias, .tensor = options.tensor}) {}
  NamedTensors variables(const std::string& scope) const override { return Cell::variables(scope + "/basic_lstm_cell"); }
};

/// [r, u] = s([x, h] gates + b), c = tanh([x, r h] candidate + b), h = u h + (1 - u) c: reset before the product, unlike nn::GRUCell. State: h.
class GRUCell : public Cell {
 public:
  GRUCell(std::int64_t input_size, std::int64_t units, const CellOptions& options = {});
  void parts(Parts& p) override;
  std::string describe() const override;
  std::int64_t input_size() const override { return candidate_kernel.size(0) - output_size(); }
  std::int64_t output_size() const override { return candidate_kernel.size(1); }
  std::vector<StatePart> state_parts() const override { return {{output_size()}}; }
  NamedTensors variables(const std::string& scope) const override { return Cell::variables(scope + "/gru_cell"); }

  Parameter gates_kernel, gates_bias, candidate_kernel, candidate_bias;

 protected:
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const override;
};

/// The weights of an LSTM cell of TensorFlow, kernel [in + units, 4 units] and bias [4 units], in PyTorch's layout, exactly: rows become
/// columns, i, j, f, o become i, f, g, o, and the forget bias is added to bias_ih; bias_hh is 0. ShapeError when the two do not fit.
LstmWeights import_tf_lstm(const Tensor& kernel, const Tensor& bias, double forget_bias = 1);

/// The variables of a cell (also of wrapped ones) under TensorFlow's names, sharing memory with it: "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel". The
/// scope is "rnn" for dynamic_rnn, "bidirectional_rnn/fw" and "bidirectional_rnn/bw" for the two directions.
NamedTensors variables(const Cell& cell, const std::string& scope = "rnn");
/// Copies variables of those names into the cell; others may be among them. Reads the names weights and biases of TensorFlow before 1.2 as
/// kernel and bias. ValueError lists everything that is missing or of another shape or dtype, and then nothing was changed.
void load(Cell& cell, const NamedTensors& found, const std::string& scope = "rnn");

}  // namespace rill::nn::tf

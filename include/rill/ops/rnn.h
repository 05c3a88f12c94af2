// Recurrent layers over a whole sequence: one layer in one direction, one step of the tape with a fused backward pass. nn::RNN, nn::LSTM
// and nn::GRU stack them.
//
// x is [T, N, in], time first, or packed: [sum of batch_sizes, in], where step t holds the first batch_sizes[t] rows of the batch
// (rill/nn/packed_sequence.h). The output has the layout of x; final states are [N, ...], each row's after its own last step.
// Undefined initial states are zeros. Weights [gates * units, in] (ih) and [gates * units, state] (hh) and biases [gates * units]
// are as PyTorch stores them; biases may be undefined. 16-bit floats are computed in float32 and rounded once; on a CUDA device states are
// rounded after each step (docs/cuda.md). All can be differentiated any number of times. Errors: ShapeError when sizes do not fit,
// DtypeError unless all are of one floating dtype, DeviceError, ValueError for batch_sizes that grow or are below 1.
#pragma once

#include <limits>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

struct SequenceOptions {
  bool reverse = false;                        ///< from each row's last step to its first
  std::vector<std::int64_t> batch_sizes = {};  ///< rows of each step when x is packed
};

struct RecurrentWeights {
  Tensor ih, hh, bias_ih = {}, bias_hh = {};
};
struct RecurrentResult {
  Tensor output, h;
};

enum class RnnNonlinearity : std::uint8_t { tanh, relu };
/// h = f(x W_ih^T + b_ih + h W_hh^T + b_hh). Elman 1990.
RecurrentResult rnn_layer(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, RnnNonlinearity f = RnnNonlinearity::tanh, const SequenceOptions& options = {});

/// With gates in the order r, z, n and s the sigmoid: r = s(x_r + h_r), z = s(x_z + h_z), n = tanh(x_n + r h_n), h = (1 - z) n + z h,
/// where x_r ... are blocks of x W_ih^T + b_ih and h_r ... of h W_hh^T + b_hh. Cho et al. 2014, with the reset after the product.
RecurrentResult gru_layer(const Tensor& x, const Tensor& h, const RecurrentWeights& weights, const SequenceOptions& options = {});

struct LstmWeights {
  Tensor ih, hh, bias_ih = {}, bias_hh = {};
  Tensor hr = {};                                            ///< projection [state, units]: h becomes h W_hr^T
  Tensor peephole_i = {}, peephole_f = {}, peephole_o = {};  ///< [units]; all or none
};
/// Which gate each block of the weights belongs to: input, forget, candidate, output in PyTorch, input, candidate, forget, output in TensorFlow.
enum class LstmGates : std::uint8_t { ifgo, igfo };
struct LstmOptions {
  bool reverse = false;                        ///< as in SequenceOptions
  std::vector<std::int64_t> batch_sizes = {};
  LstmGates gates = LstmGates::ifgo;
  double forget_bias = 0;                      ///< added to the forget gate
  double cell_clip = std::numeric_limits<double>::infinity();  ///< c is limited to [-cell_clip, cell_clip]
  double proj_clip = std::numeric_limits<double>::infinity();  ///< likewise h after the projection
};
struct LstmResult {
  Tensor output, h, c;
};
/// i = s(z_i + p_i c), f = s(z_f + p_f c), g = tanh(z_g), c = f c + i g, o = s(z_o + p_o c), h = o tanh(c), where z_i ... are blocks of
/// x W_ih^T + b_ih + h W_hh^T + b_hh and p the peepholes. Hochreiter and Schmidhuber 1997, Gers et al. 2000 and 2002, Sak et al. 2014.
LstmResult lstm_layer(const Tensor& x, const Tensor& h, const Tensor& c, const LstmWeights& weights, const LstmOptions& options = {});

}  // namespace rill

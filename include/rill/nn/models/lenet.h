// LeNet-5: the network of the TensorFlow course, the usual present-day one, and that of 1998.
#pragma once

#include <array>
#include <vector>

#include <rill/nn/conv.h>
#include <rill/nn/dropout.h>
#include <rill/nn/linear.h>

namespace rill::nn::models {

/// The defaults are the course's: 1,663,370 parameters.
struct LeNet5Options {
  std::array<std::int64_t, 2> filters = {32, 64};
  ConvPadding second_padding = 2;              ///< of the second convolution; the first one always keeps the size
  std::vector<std::int64_t> hidden = {512};    ///< sizes of the hidden linear layers
  std::int64_t classes = 10;
  double dropout = 0.5;                        ///< after each hidden layer
  double std = 0.1;                            ///< weights start truncated normal with it; 0: as PyTorch's layers do
  Options tensor = {};
  /// 6 and 16 filters, hidden 120 and 84, no dropout, PyTorch's start: 61,706 parameters.
  static LeNet5Options modern() { return {.filters = {6, 16}, .second_padding = 0, .hidden = {120, 84}, .dropout = 0, .std = 0}; }
};

/// [N, 1, 28, 28] -> logits [N, classes]: twice convolution 5x5, relu, maximum pool 2x2, then linear layers with relu between. With a `std`,
/// biases start with 0 in the convolutions and 0.1 in the linear layers. The first linear layer reads channels, rows, columns in this
/// order; TensorFlow's reads rows, columns, channels.
class LeNet5 : public Module {
 public:
  explicit LeNet5(const LeNet5Options& options = {});
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("conv1", conv1)("conv2", conv2)("fc", fc)("dropout", dropout); }
  /// The weights of the linear layers: what the course decays.
  std::vector<Tensor> linear_weights() const;

  Conv2d conv1, conv2;
  std::vector<Linear> fc;
  Dropout dropout;
};

/// The sum of 2x2 inputs times a trained coefficient per channel, plus a trained bias.
struct Subsampling : Module {
  explicit Subsampling(std::int64_t channels);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias); }

  Parameter weight, bias;
};

/// A 5x5 convolution from 6 to 16 channels, each of which sees only some inputs (the paper's table 1): 1,516 parameters.
struct PartialConv : Module {
  PartialConv();
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("weight", weight)("bias", bias)("table", table); }

  Parameter weight;  ///< [60, 5, 5], one kernel per connection, by output and then input
  Parameter bias;    ///< [16]
  Buffer table;      ///< [96], for each output and input the number of its kernel, or 60: none
};

/// LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition": [N, 1, 32, 32] (background -0.1, ink 1.175)
/// -> penalties [N, 10], of which the smallest wins: squared distances of the last 84 units to fixed drawings of the digits, 7 x 12 pixels of
/// +1 and -1. 60,000 trained parameters, uniform in +-2.4 / fan_in.
class LeNet5Original : public Module {
 public:
  LeNet5Original();
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p) override { p("c1", c1)("s2", s2)("c3", c3)("s4", s4)("c5", c5)("f6", f6)("digits", digits); }

  Conv2d c1;
  Subsampling s2;
  PartialConv c3;
  Subsampling s4;
  Conv2d c5;
  Linear f6;
  Buffer digits;  ///< [10, 84]
};

/// The paper's criterion: the mean over samples of y_label + log(e^-j + sum over i of e^-y_i), which pulls the penalty of the label down and
/// pushes the others up, less so beyond j > 0. penalties [N, 10], labels int64 [N]. ShapeError, DtypeError, IndexError.
Tensor lenet5_loss(const Tensor& penalties, const Tensor& labels, double j);

}  // namespace rill::nn::models

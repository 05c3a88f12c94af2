// What cuDNN is told about a recurrent layer. Needs no device, so that tests ask cuDNN whether it accepts it.
#pragma once

#include "backends/api/kernels/rnn.h"
#include "backends/cuda/dnn.h"

namespace rill::cuda {

/// One layer, one direction, the standard algorithm, packed sequences, two biases.
struct RnnDescriptors {
  cudnnDataType_t type;
  RnnDescriptor layer;
  SequenceDescriptor x, y;
  TensorDescriptor h, c;

  RnnDescriptors(const RnnLayerSpec& l, bool tf32) : type(dnn_type(l.dtype)) {
    constexpr cudnnRNNMode_t kModes[] = {CUDNN_LSTM, CUDNN_GRU, CUDNN_RNN_TANH, CUDNN_RNN_RELU};  // in the order of RnnCell
    const int batch = static_cast<int>(l.lengths.size()), units = static_cast<int>(l.units), state = static_cast<int>(l.state), features = static_cast<int>(l.features);
    check_dnn(cudnnSetRNNDescriptor_v8(layer, CUDNN_RNN_ALGO_STANDARD, kModes[static_cast<int>(l.cell)], CUDNN_RNN_DOUBLE_BIAS, CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, type,
                                       dnn_compute_type(l.dtype), l.dtype != Dtype::float32 || tf32 ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH, features, units, state, 1, nullptr, CUDNN_RNN_PADDED_IO_DISABLED),
              "the layer's descriptor");
    const auto sequence = [&](cudnnRNNDataDescriptor_t data, int width) {
      check_dnn(cudnnSetRNNDataDescriptor(data, type, CUDNN_RNN_DATA_LAYOUT_SEQ_MAJOR_PACKED, l.lengths.front(), batch, width, l.lengths.data(), nullptr), "a sequence's descriptor");
    };
    const auto states = [&](cudnnTensorDescriptor_t tensor, int width) {
      const int sizes[] = {1, batch, width}, strides[] = {batch * width, width, 1};
      check_dnn(cudnnSetTensorNdDescriptor(tensor, type, 3, sizes, strides), "a state's descriptor");
    };
    sequence(x, features), sequence(y, state), states(h, state), states(c, units);
  }
};

}  // namespace rill::cuda

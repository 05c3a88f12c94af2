#pragma once

#include "backends/api/kernels/rnn.h"

namespace rill::cuda {
/// Whole LSTM and GRU layers by cuDNN.
void fill_whole_rnn(RnnKernels& k);
}  // namespace rill::cuda

// Recurrent layers: what lies between the matrix products of one step. The formulas are in functors/recurrent.h.
#pragma once

#include <array>
#include <cstdint>

#include "backends/api/view.h"

namespace rill {

/// One step of an LSTM. Everything is contiguous, [rows, units] unless noted, and of the slot's element type.
struct LstmStep {
  std::int64_t rows, units;
  std::array<std::int64_t, 4> block;      // where the gates i, f, g, o stand among the four blocks of a row
  double clip;                            // of the memory; infinity: none
  std::array<const void*, 3> peepholes;   // [units] of i, f, o; null: none
  void* gates;                            // [rows, 4 units]: pre-activations, replaced by activations; read only for the gradient
  void* c;                                // before, replaced by after; for the gradient: before, read only
  void* h = nullptr;                      // written
  const void* gh = nullptr;               // gradient of h
  void *gc = nullptr, *gz = nullptr;      // gradient of c: after, replaced by before; [rows, 4 units] of the pre-activations, written
};

/// One step of a GRU.
struct GruStep {
  std::int64_t rows, units;
  void* x;                                // [rows, 3 units]: the input's products r, z, n, replaced by activations; read only for the gradient
  const void* y;                          // [rows, 3 units]: the state's products; unused for the gradient
  void* y_n;                              // [rows, units]: the products of y for n, written; read only for the gradient
  void* h;                                // before, replaced by after; for the gradient: before, read only
  void *g = nullptr, *gx = nullptr, *gy = nullptr;  // gradient of h: after, replaced by the direct part of before; of x and y, written
};

struct RnnKernels {
  void (*lstm_step)(Dtype, const LstmStep&) = nullptr;
  void (*lstm_step_gradient)(Dtype, const LstmStep&) = nullptr;
  void (*gru_step)(Dtype, const GruStep&) = nullptr;
  void (*gru_step_gradient)(Dtype, const GruStep&) = nullptr;

  /// The same for units [first, first + count) of one row, for one element type on one instruction set.
  struct RnnLines {
    void (*lstm)(const LstmStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*lstm_gradient)(const LstmStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*gru)(const GruStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*gru_gradient)(const GruStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
  };
  RnnLines rnn_lines[2] = {};  // float32, float64
};

}  // namespace rill

// Recurrent layers: what lies between the matrix products of one step, by the formulas of functors/recurrent.h, or a layer as a whole.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

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

enum class RnnCell : std::uint8_t { lstm, gru, tanh, relu };
constexpr int gates_of(RnnCell cell) { return cell == RnnCell::lstm ? 4 : cell == RnnCell::gru ? 3 : 1; }

/// A whole layer in one direction. Everything is contiguous and of one element type. Rows of x and y are packed: step after step, and a step holds
/// the first rows of the batch, those that have not ended.
struct RnnLayerSpec {
  RnnCell cell;
  Dtype dtype;                                 // floating
  std::int64_t total, features, units, state;  // rows in all; state: units, or fewer after a projection
  std::array<std::int64_t, 4> block;           // where the gates i, f, g, o (or r, z, n, or the one) stand among the blocks of weights and biases
  std::vector<int> lengths;                    // steps of each row of the batch: at least 1, not increasing
};
/// What a layer reads, or the gradients of it. Null: none, or not wanted.
struct RnnInputs {
  void *x = nullptr, *h = nullptr, *c = nullptr;  // [total, features], [batch, state], [batch, units] (LSTM)
  void *ih = nullptr, *hh = nullptr, *bias_ih = nullptr, *bias_hh = nullptr, *hr = nullptr;  // as in rill/ops/rnn.h
};
struct RnnOutputs {
  void *y = nullptr, *h = nullptr, *c = nullptr;  // [total, state] and the states of each row after its last step
};
/// Null: layers go step by step.
struct WholeRnn {
  /// Bytes that `forward` leaves for `gradient`.
  std::int64_t (*reserve)(const RnnLayerSpec&) = nullptr;
  /// reserve may be null when no gradient will be asked for.
  void (*forward)(const RnnLayerSpec&, const RnnInputs& in, const RnnOutputs& out, void* reserve) = nullptr;
  /// y: the output; g: gradients of the outputs, none null but c without an LSTM. Those of x, h and c are always written, the others where wanted.
  void (*gradient)(const RnnLayerSpec&, const RnnInputs& in, const void* y, const RnnOutputs& g, const void* reserve, const RnnInputs& gradients) = nullptr;
};

struct RnnKernels {
  void (*lstm_step)(Dtype, const LstmStep&) = nullptr;
  void (*lstm_step_gradient)(Dtype, const LstmStep&) = nullptr;
  void (*gru_step)(Dtype, const GruStep&) = nullptr;
  void (*gru_step_gradient)(Dtype, const GruStep&) = nullptr;

  WholeRnn whole_rnn;

  /// The steps for units [first, first + count) of one row, for one element type on one instruction set.
  struct RnnLines {
    void (*lstm)(const LstmStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*lstm_gradient)(const LstmStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*gru)(const GruStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
    void (*gru_gradient)(const GruStep&, std::int64_t row, std::int64_t first, std::int64_t count) = nullptr;
  };
  RnnLines rnn_lines[2] = {};  // float32, float64
};

}  // namespace rill

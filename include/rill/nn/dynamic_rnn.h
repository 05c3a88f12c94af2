// Cells over whole sequences, as in TensorFlow 1.x.
#pragma once

#include <utility>

#include <rill/nn/cell.h>

namespace rill::nn {

struct DynamicRnnOptions {
  CellState initial = {};                    ///< empty: zeros
  std::vector<std::int64_t> lengths = {};    ///< steps of each row that count; empty: all
  bool time_major = false;                   ///< x and output are [T, N, ...] instead of [N, T, ...]
  bool reverse = false;                      ///< from each row's last step to its first
};
/// Runs a cell over x [N, T, in]. Beyond a row's length the output is 0, and the final state is that after its last step. Masks of
/// variational dropout are drawn anew for each call. ShapeError for x of another rank or size and for states that do not fit;
/// ValueError for lengths outside [0, T].
CellResult dynamic_rnn(const Cell& cell, const Tensor& x, const DynamicRnnOptions& options = {});

struct BidirectionalRnnOptions {
  CellState initial_fw = {}, initial_bw = {};
  std::vector<std::int64_t> lengths = {};
  bool time_major = false;
};
struct BidirectionalRnnResult {
  Tensor output_fw, output_bw;   ///< join them with cat({fw, bw}, -1)
  CellState state_fw, state_bw;
};
/// One cell forward, one backward; the latter starts at each row's last step and its output stands at the steps it belongs to.
BidirectionalRnnResult bidirectional_dynamic_rnn(const Cell& fw, const Cell& bw, const Tensor& x, const BidirectionalRnnOptions& options = {});

struct StaticRnnResult {
  std::vector<Tensor> outputs;
  CellState state;
};
/// dynamic_rnn for a list of steps [N, in]. ValueError for an empty list.
StaticRnnResult static_rnn(const Cell& cell, const std::vector<Tensor>& steps, const DynamicRnnOptions& options = {});

}  // namespace rill::nn

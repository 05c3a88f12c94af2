// One step of a recurrent network as a module: what wrappers (cell_wrappers.h) and dynamic_rnn (dynamic_rnn.h) are made of.
// nn::RNNCell ... are PyTorch's cells, nn::tf::BasicLSTMCell ... TensorFlow's; a cell of one's own implements `step`.
#pragma once

#include <concepts>
#include <vector>

#include <rill/nn/containers.h>
#include <rill/ops/rnn.h>

namespace rill::nn {

/// The tensors [N, size] that a cell hands from step to step, in the order of Cell::state_parts.
using CellState = std::vector<Tensor>;
struct StatePart {
  std::int64_t size;
  bool memory = false;  ///< the c of an LSTM: dropout of the state leaves it alone
};
struct CellResult {
  Tensor output;
  CellState state;
};

class Cell;

/// What is drawn once for a whole run over a sequence: masks of variational dropout. dynamic_rnn makes one for each call; a loop written by
/// hand makes one and hands it to every step.
class CellRun {
 public:
  /// `rows`: of the batch; default: those of the first step.
  explicit CellRun(std::int64_t rows = 0) : rows_(rows) {}
  /// The mask that `cell` keeps under a number; `draw(rows)` makes it the first time.
  template <class Draw> const Tensor& mask(const Cell* cell, int number, std::int64_t rows, Draw draw) {
    if (!rows_) rows_ = rows;
    for (const auto& m : masks_)
      if (m.cell == cell && m.number == number) return m.mask;
    masks_.push_back({cell, number, draw(rows_)});
    return masks_.back().mask;
  }

 private:
  struct Mask {
    const Cell* cell;
    int number;
    Tensor mask;
  };
  std::int64_t rows_;
  std::vector<Mask> masks_;
};

class Cell : public Module {
 public:
  virtual std::int64_t input_size() const = 0;
  virtual std::int64_t output_size() const = 0;
  virtual std::vector<StatePart> state_parts() const = 0;
  /// The parameters under the names that TensorFlow gives them inside a variable scope (rill/nn/tf_cells.h); by default their names in
  /// the cell with slashes for dots.
  virtual NamedTensors variables(const std::string& scope) const;
  CellState zero_state(std::int64_t rows, const Options& options = {}) const;
  /// The state for x with so many rows: zeros when it is empty, else itself if it fits.
  CellState checked_state(const Tensor& x, const CellState& state, std::int64_t rows) const;

  /// One step with x [N, in]; an empty state stands for zeros. Checks what it is given: ShapeError for x or a state of another shape,
  /// ValueError for a state of another length.
  CellResult operator()(const Tensor& x, const CellState& state, CellRun& run) const;
  CellResult operator()(const Tensor& x, const CellState& state = {}) const;
  /// All steps of x [T, N, in], or packed (rill/ops/rnn.h); the output has the layout of x.
  CellResult unroll(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const;

 protected:
  /// One step; x and state have been checked.
  virtual CellResult step(const Tensor& x, const CellState& state, CellRun& run) const = 0;
  /// All steps; by default one after the other. A cell that knows a faster way takes it (its hooks then see whole sequences).
  virtual CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const;
  CellResult step_by_step(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const;
};

/// A cell of any type, held by value: a copy has weights of its own. To share weights, tie() the parameters.
class AnyCell : public AnyModule {
 public:
  template <class C> requires std::derived_from<std::decay_t<C>, Cell> AnyCell(C&& cell) : AnyModule(std::forward<C>(cell)) {}
  Cell& cell() { return static_cast<Cell&>(module()); }
  const Cell& cell() const { return static_cast<const Cell&>(module()); }
};

}  // namespace rill::nn

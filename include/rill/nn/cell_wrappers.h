// Cells made of cells, as in TensorFlow 1.x.
#pragma once

#include <optional>

#include <rill/core/random.h>
#include <rill/nn/cell.h>

namespace rill::nn {

/// Cells on top of each other, the output of one being the input of the next: MultiRNNCell({tf::BasicLSTMCell(10, 20), tf::BasicLSTMCell(20, 20)}).
/// The state is the states of all, one after the other.
class MultiRNNCell : public Cell {
 public:
  /// ValueError for an empty list or a cell that takes another size than the one below gives.
  explicit MultiRNNCell(std::vector<AnyCell> cells);
  void parts(Parts& p) override;
  std::int64_t input_size() const override { return cells.front().cell().input_size(); }
  std::int64_t output_size() const override { return cells.back().cell().output_size(); }
  std::vector<StatePart> state_parts() const override;
  NamedTensors variables(const std::string& scope) const override;

  std::vector<AnyCell> cells;

 protected:
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const override;
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;
};

/// How long a mask of dropout lives, and for whom: drawn for each step and row; for each row, kept for all steps of a run; or once for
/// a run, the same for every row (TensorFlow's variational_recurrent; Gal and Ghahramani 2016 have one for each row).
enum class DropoutMask : std::uint8_t { per_step, per_sequence, shared_batch };

struct DropoutWrapperOptions {
  double input_keep_prob = 1, output_keep_prob = 1;
  double state_keep_prob = 1;                 ///< of what goes on in time, except the c of an LSTM
  DropoutMask mask = DropoutMask::per_step;
  std::optional<Generator> generator = {};    ///< none: the default generator
};
/// Dropout, in training, around a cell: what is kept is divided by its probability. output_keep_prob drops what goes up, not what goes on in time.
class DropoutWrapper : public Cell {
 public:
  /// ValueError for a probability outside (0, 1].
  explicit DropoutWrapper(AnyCell cell, const DropoutWrapperOptions& options = {});
  void parts(Parts& p) override;
  std::string describe() const override;
  std::int64_t input_size() const override { return cell.cell().input_size(); }
  std::int64_t output_size() const override { return cell.cell().output_size(); }
  std::vector<StatePart> state_parts() const override { return cell.cell().state_parts(); }
  NamedTensors variables(const std::string& scope) const override { return cell.cell().variables(scope); }

  AnyCell cell;
  DropoutWrapperOptions options;
  bool training = true;

 protected:
  CellResult step(const Tensor& x, const CellState& state, CellRun& run) const override;
  CellResult sequence(const Tensor& x, const CellState& state, const SequenceOptions& options, CellRun& run) const override;

 private:
  Tensor drop(const Tensor& x, double keep, int number, const std::vector<std::int64_t>& batch_sizes, CellRun& run) const;
};

}  // namespace rill::nn

#include <rill/nn/cell_wrappers.h>

#include <algorithm>

#include <rill/ops/create.h>
#include <rill/ops/dropout.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/repr.h"

namespace rill::nn {

MultiRNNCell::MultiRNNCell(std::vector<AnyCell> list) : cells(std::move(list)) {
  check<ValueError>(!cells.empty(), "MultiRNNCell", "the list of cells is empty; pass at least one");
  for (std::size_t k = 1; k < cells.size(); ++k)
    check<ValueError>(cells[k].cell().input_size() == cells[k - 1].cell().output_size(), "MultiRNNCell", "cell {} takes {} features, the one below gives {}", k, cells[k].cell().input_size(),
                      cells[k - 1].cell().output_size());
}
void MultiRNNCell::parts(Parts& p) {
  for (std::size_t k = 0; k < cells.size(); ++k) p("cells." + std::to_string(k), cells[k].module());
}
std::vector<StatePart> MultiRNNCell::state_parts() const {
  std::vector<StatePart> parts;
  for (const AnyCell& c : cells)
    for (const StatePart& part : c.cell().state_parts()) parts.push_back(part);
  return parts;
}
NamedTensors MultiRNNCell::variables(const std::string& scope) const {
  NamedTensors list;
  for (std::size_t k = 0; k < cells.size(); ++k)
    for (auto& entry : cells[k].cell().variables(scope + "/multi_rnn_cell/cell_" + std::to_string(k))) list.push_back(std::move(entry));
  return list;
}

namespace {
/// run(cell, x, its own state) for all cells; returns the last output and all states.
template <class Run> CellResult through(const std::vector<AnyCell>& cells, Tensor x, const CellState& state, Run run) {
  CellState next;
  auto from = state.begin();
  for (const AnyCell& c : cells) {
    const auto to = from + static_cast<std::ptrdiff_t>(c.cell().state_parts().size());
    CellResult r = run(c.cell(), x, CellState(from, to));
    from = to;
    x = std::move(r.output);
    std::move(r.state.begin(), r.state.end(), std::back_inserter(next));
  }
  return {std::move(x), std::move(next)};
}
}  // namespace

CellResult MultiRNNCell::step(const Tensor& x, const CellState& state, CellRun& run) const {
  return through(cells, x, state, [&](const Cell& c, const Tensor& x, const CellState& s) { return c(x, s, run); });
}
CellResult MultiRNNCell::sequence(const Tensor& x, const CellState& state, const SequenceOptions& o, CellRun& run) const {
  return through(cells, x, state, [&](const Cell& c, const Tensor& x, const CellState& s) { return c.unroll(x, s, o, run); });
}

DropoutWrapper::DropoutWrapper(AnyCell inner, const DropoutWrapperOptions& o) : cell(std::move(inner)), options(o) {
  for (const auto& [name, keep] : {std::pair{"input_keep_prob", o.input_keep_prob}, {"output_keep_prob", o.output_keep_prob}, {"state_keep_prob", o.state_keep_prob}})
    check<ValueError>(keep > 0 && keep <= 1, "DropoutWrapper", "{} is {}; it must be above 0 and at most 1", name, keep);
}
void DropoutWrapper::parts(Parts& p) { p.mode(training)("cell", cell.module()); }
std::string DropoutWrapper::describe() const {
  std::string s;
  for (const auto& [name, keep] : {std::pair{"input_keep_prob", options.input_keep_prob}, {"output_keep_prob", options.output_keep_prob}, {"state_keep_prob", options.state_keep_prob}})
    if (keep != 1) s += (s.empty() ? "" : ", ") + std::string(name) + "=" + repr::number(keep);
  return "DropoutWrapper(" + s + ")";
}

/// x [rows, features] or [T, rows, features], or packed.
Tensor DropoutWrapper::drop(const Tensor& x, double keep, int number, const std::vector<std::int64_t>& batch_sizes, CellRun& run) const {
  if (keep == 1 || !training) return x;
  const Generator generator = options.generator ? *options.generator : default_generator();
  if (options.mask == DropoutMask::per_step) return dropout(x, 1 - keep, true, generator);
  const std::int64_t rows = batch_sizes.empty() ? x.size(-2) : batch_sizes[0];
  const Tensor& mask = run.mask(this, number, rows, [&](std::int64_t batch) {
    return dropout(ones({options.mask == DropoutMask::shared_batch ? 1 : batch, x.size(-1)}, {.dtype = x.dtype(), .device = x.device()}), 1 - keep, true, generator);
  });
  if (options.mask == DropoutMask::shared_batch) return x * mask;
  if (batch_sizes.empty()) return x * narrow(mask, 0, 0, rows);
  std::vector<std::int64_t> row;
  for (const std::int64_t n : batch_sizes)
    for (std::int64_t r = 0; r < n; ++r) row.push_back(r);
  return x * index_select(mask, 0, tensor(row));
}

CellResult DropoutWrapper::step(const Tensor& x, const CellState& state, CellRun& run) const {
  CellResult r = cell.cell()(drop(x, options.input_keep_prob, 0, {}, run), state, run);
  const auto parts = state_parts();
  for (std::size_t k = 0; k < parts.size(); ++k)
    if (!parts[k].memory) r.state[k] = drop(r.state[k], options.state_keep_prob, 2 + static_cast<int>(k), {}, run);
  r.output = drop(r.output, options.output_keep_prob, 1, {}, run);
  return r;
}
CellResult DropoutWrapper::sequence(const Tensor& x, const CellState& state, const SequenceOptions& o, CellRun& run) const {
  if (training && options.state_keep_prob < 1) return step_by_step(x, state, o, run);
  CellResult r = cell.cell().unroll(drop(x, options.input_keep_prob, 0, o.batch_sizes, run), state, o, run);
  r.output = drop(r.output, options.output_keep_prob, 1, o.batch_sizes, run);
  return r;
}

}  // namespace rill::nn

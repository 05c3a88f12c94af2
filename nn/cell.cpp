#include <rill/nn/cell.h>

#include <algorithm>

#include <rill/ops/create.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/place.h"

namespace rill::nn {

CellState Cell::zero_state(std::int64_t rows, const Options& options) const {
  CellState state;
  for (const StatePart& part : state_parts()) state.push_back(zeros({rows, part.size}, options));
  return state;
}

NamedTensors Cell::variables(const std::string& scope) const {
  NamedTensors list;
  for (auto [name, value] : state()) {
    std::replace(name.begin(), name.end(), '.', '/');
    list.emplace_back(scope + "/" + name, value);
  }
  return list;
}

CellState Cell::checked_state(const Tensor& x, const CellState& state, std::int64_t rows) const {
  const std::string name = class_name(*this);
  check<ShapeError>(x.size(-1) == input_size(), name, "x {} has {} features, the cell takes {}", rill::describe(x), x.size(-1), input_size());
  if (state.empty()) return zero_state(rows, {.dtype = x.dtype(), .device = x.device()});
  const auto parts = state_parts();
  check<ValueError>(state.size() == parts.size(), name, "the state has {} tensors, the cell has {}; zero_state() makes one", state.size(), parts.size());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    check_defined(name, state[k], "a tensor of the state");
    const Shape expected{rows, parts[k].size};
    check<ShapeError>(state[k].shape() == expected, name, "state {} has shape {}, expected {} for x {}", k, state[k].shape(), expected, rill::describe(x));
  }
  return state;
}

CellResult Cell::operator()(const Tensor& input, const CellState& state, CellRun& run) const {
  return call(input, [&](const Tensor& x) {
    check_defined(class_name(*this), x);
    check<ShapeError>(x.dim() == 2, class_name(*this), "x {} has rank {}; a step takes [N, features]", rill::describe(x), x.dim());
    return step(x, checked_state(x, state, x.size(0)), run);
  });
}
CellResult Cell::operator()(const Tensor& x, const CellState& state) const {
  CellRun run;
  return (*this)(x, state, run);
}

CellResult Cell::unroll(const Tensor& input, const CellState& state, const SequenceOptions& o, CellRun& run) const {
  return call(input, [&](const Tensor& x) {
    check_defined(class_name(*this), x);
    const bool packed = !o.batch_sizes.empty();
    check<ShapeError>(x.dim() == (packed ? 2 : 3), class_name(*this), "x {} has rank {}; expected {}", rill::describe(x), x.dim(), packed ? "[rows, features]" : "[T, N, features]");
    const std::int64_t rows = !packed ? x.size(1) : state.empty() || !state[0].defined() || state[0].dim() == 0 ? o.batch_sizes[0] : state[0].size(0);
    return sequence(x, checked_state(x, state, rows), o, run);
  });
}

CellResult Cell::sequence(const Tensor& x, const CellState& state, const SequenceOptions& o, CellRun& run) const { return step_by_step(x, state, o, run); }

CellResult Cell::step_by_step(const Tensor& x, const CellState& initial, const SequenceOptions& o, CellRun& run) const {
  const bool packed = !o.batch_sizes.empty();
  const std::int64_t batch = initial.empty() ? (packed ? o.batch_sizes[0] : x.size(1)) : initial[0].size(0), steps = packed ? static_cast<std::int64_t>(o.batch_sizes.size()) : x.size(0);
  CellState state = initial;
  std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
  std::int64_t first = o.reverse && packed ? x.size(0) : 0;
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = o.reverse ? steps - 1 - k : k, rows = packed ? o.batch_sizes[static_cast<std::size_t>(t)] : batch;
    if (packed && o.reverse) first -= rows;
    CellState now = state;
    for (Tensor& s : now) s = rows == batch ? s : narrow(s, 0, 0, rows);
    auto [output, next] = (*this)(packed ? narrow(x, 0, first, rows) : x.select(0, t), now, run);
    if (packed && !o.reverse) first += rows;
    outputs[static_cast<std::size_t>(t)] = std::move(output);
    for (std::size_t s = 0; s < state.size(); ++s) state[s] = rows == batch ? next[s] : cat({next[s], narrow(state[s], 0, rows, batch - rows)});
  }
  if (steps) return {packed ? cat(outputs) : stack(outputs), std::move(state)};
  return {zeros({0, batch, output_size()}, {.dtype = x.dtype(), .device = x.device()}), std::move(state)};
}

}  // namespace rill::nn

#include <rill/nn/dynamic_rnn.h>

#include <rill/ops/index.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "lib/core/check.h"
#include "nn/packing.h"

namespace rill::nn {

CellResult dynamic_rnn(const Cell& cell, const Tensor& input, const DynamicRnnOptions& o) {
  constexpr const char* op = "dynamic_rnn";
  check_defined(op, input);
  check<ShapeError>(input.dim() == 3, op, "x {} has rank {}; expected {}", describe(input), input.dim(), o.time_major ? "[T, N, features]" : "[N, T, features]");
  const Tensor x = o.time_major ? input : transpose(input, 0, 1);
  const std::int64_t rows = x.size(1);
  CellRun run(rows);
  const auto back = [&](const Tensor& output) { return o.time_major ? output : transpose(output, 0, 1); };
  if (o.lengths.empty()) {
    CellResult r = cell.unroll(x, o.initial, {.reverse = o.reverse}, run);
    return {back(r.output), std::move(r.state)};
  }
  PackedSequence packed = pack(op, x, o.lengths, 0, input);
  const auto reorder = [](CellState state, const Tensor& order) {
    if (order.defined())
      for (Tensor& s : state) s = index_select(s, 0, order);
    return state;
  };
  CellResult r = cell.unroll(packed.data, reorder(cell.checked_state(x, o.initial, rows), packed.sorted_indices), {.reverse = o.reverse, .batch_sizes = packed.batch_sizes}, run);
  packed.data = std::move(r.output);
  return {back(unpack(packed, x.size(0), rows)), reorder(std::move(r.state), packed.unsorted_indices)};
}

BidirectionalRnnResult bidirectional_dynamic_rnn(const Cell& fw, const Cell& bw, const Tensor& x, const BidirectionalRnnOptions& o) {
  CellResult forward = dynamic_rnn(fw, x, {.initial = o.initial_fw, .lengths = o.lengths, .time_major = o.time_major});
  CellResult backward = dynamic_rnn(bw, x, {.initial = o.initial_bw, .lengths = o.lengths, .time_major = o.time_major, .reverse = true});
  return {std::move(forward.output), std::move(backward.output), std::move(forward.state), std::move(backward.state)};
}

StaticRnnResult static_rnn(const Cell& cell, const std::vector<Tensor>& steps, const DynamicRnnOptions& options) {
  check<ValueError>(!steps.empty(), "static_rnn", "the list of steps is empty; pass at least one");
  DynamicRnnOptions o = options;
  o.time_major = true;
  CellResult r = dynamic_rnn(cell, stack(steps), o);
  return {unbind(r.output), std::move(r.state)};
}

}  // namespace rill::nn

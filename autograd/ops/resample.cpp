#include "autograd/resample.h"

#include "autograd/record.h"
#include "autograd/window.h"

namespace rill {

AxisMap::AxisMap(std::int64_t columns, Half rows) : columns(columns), forward(std::move(rows)) {
  std::vector<std::int64_t>& offsets = adjoint.offsets;
  offsets.assign(static_cast<std::size_t>(columns) + 1, 0);
  for (const std::int64_t j : forward.indices) ++offsets[static_cast<std::size_t>(j) + 1];
  for (std::size_t j = 1; j < offsets.size(); ++j) offsets[j] += offsets[j - 1];
  adjoint.indices.resize(forward.indices.size()), adjoint.weights.resize(forward.indices.size());
  std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
  for (std::int64_t i = 0; i < forward.rows(); ++i)
    for (auto k = forward.offsets[static_cast<std::size_t>(i)]; k < forward.offsets[static_cast<std::size_t>(i) + 1]; ++k) {
      const auto from = static_cast<std::size_t>(k), to = static_cast<std::size_t>(next[static_cast<std::size_t>(forward.indices[from])]++);
      adjoint.indices[to] = i, adjoint.weights[to] = forward.weights[from];
    }
}

namespace {

/// One axis; x is dense in the format.
Tensor along(const Tensor& x, int axis, const AxisWeights& w, bool last) {
  Shape shape = impl(x).shape;
  const int rank = shape.rank();
  const auto product = [&](int from, int to) {  // of the sizes between two places in memory order
    std::int64_t n = 1;
    for (int p = from; p < to; ++p) n *= shape[!last || p == 0 ? p : p == rank - 1 ? 1 : p + 1];
    return n;
  };
  const int place = !last || axis == 0 ? axis : axis == 1 ? rank - 1 : axis - 1;
  const std::int64_t size = shape[axis], in[] = {product(0, place), size, product(place + 1, rank)}, out[] = {in[0], w.rows, in[2]};
  const std::int64_t in_strides[] = {in[1] * in[2], in[2], 1}, out_strides[] = {out[1] * out[2], out[2], 1};
  shape[axis] = w.rows;
  Tensor y = make_dense(shape, last, impl(x).dtype, impl(x).device);
  if (impl(y).numel)
    kernels(x).resample({impl(x).data, impl(x).dtype, 3, in, in_strides, impl(x).numel, true}, {impl(y).data, impl(y).dtype, 3, out, out_strides, impl(y).numel, true}, w);
  return y;
}

}  // namespace

Tensor resample(const char* op, const Tensor& x, const AxisMaps& maps, bool transposed) {
  if (impl(x).dtype == Dtype::float16 || impl(x).dtype == Dtype::bfloat16) return resample(op, x.to(float32), maps, transposed).to(x.dtype());
  const bool last = is_channels_last(x);
  Tensor y = dense(x.detach(), last);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto& [axis, map] = maps[transposed ? maps.size() - 1 - i : i];
    y = along(y, axis, (transposed ? map->adjoint : map->forward).view(), last);
  }
  return record(op, std::move(y), grad(x, [op, maps, transposed](const Tensor& g) { return resample(op, g, maps, !transposed); }));
}

}  // namespace rill

#include "autograd/resample.h"

#include "autograd/elementwise.h"
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

/// One axis, or with `then` this one and then the next in memory order, in `dtype`; x is dense in the format.
Tensor along(const Tensor& x, Dtype dtype, int axis, const AxisWeights& w, bool last, const AxisWeights* then) {
  Shape shape = impl(x).shape;
  const int rank = shape.rank();
  const auto product = [&](int from, int to) {  // of the sizes between two places in memory order
    std::int64_t n = 1;
    for (int p = from; p < to; ++p) n *= shape[!last || p == 0 ? p : p == rank - 1 ? 1 : p + 1];
    return n;
  };
  const int place = !last || axis == 0 ? axis : axis == 1 ? rank - 1 : axis - 1, width = then ? 2 : 1;
  const std::int64_t size = shape[axis], next = then ? shape[axis + 1] : 1, outer = product(0, place), inner = product(place + width, rank);
  shape[axis] = w.rows;
  if (then) shape[axis + 1] = then->rows;
  Tensor y = make_dense(shape, last, dtype, impl(x).device);
  if (impl(y).numel == 0) return y;
  const auto block = [&](const Tensor& t, std::int64_t a, std::int64_t b, auto f) {
    const std::int64_t sizes[] = {outer, a, then ? b : inner, inner}, strides[] = {a * b * inner, b * inner, then ? inner : 1, 1};
    f(View{impl(t).data, impl(t).dtype, 2 + width, sizes, strides, impl(t).numel, true});
  };
  block(x, size, next, [&](const View& from) {
    block(y, w.rows, then ? then->rows : 1, [&](const View& to) { then ? kernels(x).resample_plane(from, to, w, *then) : kernels(x).resample(from, to, w); });
  });
  return y;
}

}  // namespace

Tensor resample(const char* op, const Tensor& x, const AxisMaps& maps, bool transposed) {
  const bool last = is_channels_last(x);
  const Dtype dtype = impl(x).dtype;
  Tensor y = dense(x.detach(), last);
  const auto weights = [transposed](const AxisMap& map) { return (transposed ? map.adjoint : map.forward).view(); };
  for (std::size_t i = 0; i < maps.size(); ++i) {  // maps of different axes commute
    const int axis = maps[i].first;
    const bool plane = i + 1 < maps.size() && maps[i + 1].first == axis + 1 && (!last || axis > 1);
    const AxisWeights w = weights(*maps[i].second), v = plane ? weights(*maps[i + 1].second) : AxisWeights{};
    i += plane;
    y = along(y, i + 1 == maps.size() ? dtype : compute_dtype(dtype), axis, w, last, plane ? &v : nullptr);  // 16 bits are rounded to once
  }
  return record(op, std::move(y), grad(x, [op, maps, transposed](const Tensor& g) { return resample(op, g, maps, !transposed); }));
}

}  // namespace rill

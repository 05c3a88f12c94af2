// x(...): integers, slices, new axes, ellipses, masks and integer tensors, read and written.
//
// Basic parts become views. What is left are index tensors on some axes: if those axes are neighbours their place is taken by the
// broadcast shape of the index tensors, otherwise that shape goes to the front (NumPy's rule). Integers and 0-dim integer tensors are
// applied first, as in PyTorch (NumPy lets them take part in that rule).
#include <rill/ops/create.h>
#include <rill/ops/index.h>
#include <rill/ops/view.h>

#include "autograd/autocast.h"
#include "autograd/rows.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constexpr const char* kOp = "index";

struct Selection {
  Tensor base;                      // x after the basic parts
  std::vector<Tensor> index;        // one per axis of base; undefined: the whole axis
  std::vector<std::int64_t> axis;   // the axis of x that an axis of base came from, for messages
  bool advanced = false;            // index tensors are left
  bool copied = false;              // a tensor took part: reading gives a copy
};

bool is_mask(const Index& i) { return i.kind() == Index::Kind::tensor && i.tensor().dtype() == Dtype::boolean; }

/// How many axes of x an index uses up.
int width(const Index& i) {
  switch (i.kind()) {
    case Index::Kind::integer:
    case Index::Kind::slice: return 1;
    case Index::Kind::tensor: return is_mask(i) ? static_cast<int>(i.tensor().dim()) : 1;
    default: return 0;
  }
}

Selection select_basic(const Tensor& x, const std::vector<Index>& indices) {
  check_defined(kOp, x);
  Selection s{x, {}, {}};
  int used = 0, ellipses = 0;
  for (const auto& i : indices) {
    if (i.kind() == Index::Kind::tensor) {
      check_defined(kOp, i.tensor(), "an index");
      check_same_device(kOp, x, i.tensor());
      const Dtype d = i.tensor().dtype();
      check<DtypeError>(d == Dtype::boolean || d == Dtype::int64 || d == Dtype::int32, kOp, "an index is {}, expected bool (a mask), int64 or int32; convert with .to()", d);
      s.copied = true;
    }
    used += width(i);
    ellipses += i.kind() == Index::Kind::ellipsis;
  }
  check<IndexError>(ellipses <= 1, kOp, "an index expression has {} ellipses; one is enough", ellipses);
  const int rank = impl(x).shape.rank();
  check<IndexError>(used <= rank, kOp, "the indices use {} axes, the tensor {} has {}", used, describe(x), rank);

  int at = 0;                 // axis of base
  std::int64_t from = 0;      // axis of x
  auto pick = [&](std::int64_t value) {
    const auto size = impl(s.base).shape[at];
    check<IndexError>(value >= -size && value < size, kOp, "index {} is outside axis {} of size {}; valid are {} to {}", value, from, size, -size, size - 1);
    s.base = select(s.base, at, value);
    ++from;
  };
  auto keep = [&](const Tensor& index) {
    s.advanced |= index.defined();
    s.index.push_back(index);
    s.axis.push_back(from);
    ++at;
  };
  for (const auto& i : indices) {
    switch (i.kind()) {
      case Index::Kind::integer: pick(i.integer()); break;
      case Index::Kind::slice: {
        const Slice& r = i.slice();
        if (r.start || r.stop || r.step != 1) s.base = slice(s.base, at, r);
        keep({});
        ++from;
        break;
      }
      case Index::Kind::newaxis:
        s.base = unsqueeze(s.base, at);
        keep({});
        break;
      case Index::Kind::ellipsis:
        for (int k = used; k < rank; ++k) keep({}), ++from;
        break;
      case Index::Kind::tensor:
        if (!is_mask(i) && i.tensor().dim() == 0) {
          pick(i.tensor().item<std::int64_t>());
        } else if (!is_mask(i)) {
          keep(i.tensor().detach().to(Dtype::int64));
          ++from;
        } else if (i.tensor().dim() == 0) {  // a new axis of size 1 or 0
          s.base = unsqueeze(s.base, at);
          keep(zeros({i.tensor().item<bool>() ? 1 : 0}, {.dtype = Dtype::int64, .device = x.device()}));
        } else {
          const Shape& m = impl(i.tensor()).shape;
          for (int k = 0; k < m.rank(); ++k)
            check<IndexError>(m[k] == impl(s.base).shape[at + k], kOp, "the mask has shape {}, which does not fit the axes from {} on of {}: size {} is not {}", m, from, describe(x),
                              m[k], impl(s.base).shape[at + k]);
          for (const Tensor& coordinates : where(i.tensor().detach())) keep(coordinates), ++from;
        }
        break;
    }
  }
  while (at < impl(s.base).shape.rank()) keep({}), ++from;
  return s;
}

/// The index tensors made neighbours: base permuted so that the indexed axes stand together, and their places.
struct Advanced {
  Dims order;      // of the axes of base
  bool permuted;
  Places places;
  Tensor apply(const Tensor& base) const { return permuted ? permute(base, order) : base; }
  Tensor undo(const Tensor& x) const {
    if (!permuted) return x;
    Dims inverse = order;
    for (int i = 0; i < order.rank(); ++i) inverse[order[i]] = i;
    return permute(x, inverse);
  }
};
Advanced advanced(const Selection& s) {
  Advanced a;
  std::vector<AxisIndex> indices;
  Dims indexed, others;
  bool neighbours = true;
  for (int k = 0; k < static_cast<int>(s.index.size()); ++k) {
    if (!s.index[static_cast<std::size_t>(k)].defined()) {
      others.push_back(k);
      continue;
    }
    neighbours &= indexed.empty() || indexed.back() == k - 1;
    indexed.push_back(k);
    indices.push_back({s.index[static_cast<std::size_t>(k)], s.axis[static_cast<std::size_t>(k)], impl(s.base).shape[k]});
  }
  const int first = neighbours ? static_cast<int>(indexed[0]) : 0;
  a.permuted = !neighbours;
  if (a.permuted) {
    a.order = indexed;
    for (const auto k : others) a.order.push_back(k);
  }
  a.places = places(kOp, a.apply(make_detached(s.base)), first, indices, true);
  return a;
}

/// Leading axes of size 1 beyond the selection's rank are dropped; the rest must broadcast.
Tensor fit(const char* op, const Tensor& value, const Shape& selected, Dtype dtype) {
  Tensor v = value;
  while (impl(v).shape.rank() > selected.rank() && impl(v).shape[0] == 1) v = select(v, 0, 0);
  bool fits = impl(v).shape.rank() <= selected.rank();
  for (int k = 1; fits && k <= impl(v).shape.rank(); ++k) {
    const auto have = impl(v).shape[impl(v).shape.rank() - k];
    fits = have == 1 || have == selected[selected.rank() - k];
  }
  check<ShapeError>(fits, op, "a value of shape {} does not broadcast to the selection of shape {}", value.shape(), selected);
  if (impl(v).dtype != dtype) v = v.to(dtype);
  return impl(v).shape == selected ? v : expand(v, selected);
}

}  // namespace

Tensor index_get(const Tensor& x, const std::vector<Index>& indices) {
  const OpRange here("index_get", x);
  const Selection s = select_basic(x, indices);
  if (!s.advanced) return s.copied ? s.base.clone() : s.base;
  const Advanced a = advanced(s);
  return take_rows(kOp, a.apply(s.base), a.places);
}

const Tensor& index_put_(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate) {
  const OpRange here("index_put_", x, value);
  constexpr const char* op = "index_put_";
  check_defined(op, value, "the value");
  const Selection s = select_basic(x, indices);
  check_same_device(op, x, value);
  const Dtype dtype = impl(x).dtype;
  check_in_place(op, s.base, impl(s.base).shape, impl(value).dtype);
  if (!s.advanced) {
    const Tensor v = fit(op, value, impl(s.base).shape, dtype);
    accumulate ? s.base.add_(v) : s.base.copy_(v);
    return x;
  }
  const Advanced a = advanced(s);
  const Tensor v = fit(op, value, a.places.selected_shape(), dtype);
  if (recording(s.base, v)) {
    assign(s.base, a.undo(put_rows(op, a.apply(alias_before_write(s.base)), a.places, v, accumulate)));
  } else {
    write_rows(a.apply(make_detached(s.base)), a.places, v, accumulate ? Combine::add : Combine::set);
    adopt_history(s.base, {});
  }
  return x;
}

Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Tensor& value, bool accumulate) {
  if (amp::on()) [[unlikely]] return amp::widest(&index_put, x, indices, value, accumulate);
  const OpRange here("index_put", x, value);
  check_defined("index_put", x);
  const Tensor copy = x.clone();
  return index_put_(copy, indices, value, accumulate);
}

// ---- x(...) -----------------------------------------------------------------------------------------------------------------

Indexed index(const Tensor& x, std::vector<Index> indices) {
  Tensor selected = index_get(x, indices);
  return Indexed(std::move(selected), x, std::move(indices));
}
Indexed Tensor::operator[](const Tensor& i) const { return index(*this, {Index(i)}); }

void Indexed::operator=(const Tensor& value) && { index_put_(source_, indices_, value); }
void Indexed::operator=(Scalar value) && {
  const Tensor& x = source_;
  check<DtypeError>(!value.is_floating() || is_floating(impl(x).dtype), kOp, "{} cannot be stored in {}; use an integer or convert with .to()", value.to_double(), describe(x));
  index_put_(x, indices_, full({}, value, {.dtype = impl(x).dtype, .device = impl(x).device}));
}
void Indexed::operator+=(const Tensor& v) && { index_put_(source_, indices_, *this + v); }
void Indexed::operator-=(const Tensor& v) && { index_put_(source_, indices_, *this - v); }
void Indexed::operator*=(const Tensor& v) && { index_put_(source_, indices_, *this * v); }
void Indexed::operator/=(const Tensor& v) && { index_put_(source_, indices_, *this / v); }

}  // namespace rill

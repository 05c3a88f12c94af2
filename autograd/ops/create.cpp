// New tensors, and conversions that make one from another.
#include <rill/ops/create.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/binary.h"
#include "backends/api/device_backend.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"
#include "lib/core/parallel.h"

namespace rill {
namespace {

Tensor fresh(const char* op, const Shape& shape, Dtype dtype, Device device) {
  checked_numel(op, shape, dtype);
  return make_tensor(shape, dtype, device);
}
Tensor finish(const Tensor& t, const Options& options) {
  if (options.requires_grad) t.requires_grad_();
  return t;
}
void fill(const Tensor& t, Scalar value) {
  const ScalarBytes bytes(value, impl(t).dtype);
  kernels(t).fill(bytes.bytes, view(t));
}
Options like(const Tensor& x, const Options& o) {
  check_defined("like", x);
  return {.dtype = o.dtype.value_or(x.dtype()), .device = o.device == Device{} ? x.device() : o.device, .requires_grad = o.requires_grad};
}
/// n values a(i) computed in double (or int64) and stored in the dtype.
template <class F> Tensor generate(const char* op, std::int64_t n, Dtype dtype, const Options& options, F value) {
  Tensor t = fresh(op, {n}, is_floating(dtype) ? Dtype::float64 : Dtype::int64, Device::cpu());
  if (is_floating(dtype)) {
    double* p = t.data<double>();
    for (std::int64_t i = 0; i < n; ++i) p[i] = static_cast<double>(value(i));
  } else {
    auto* p = t.data<std::int64_t>();
    for (std::int64_t i = 0; i < n; ++i) p[i] = static_cast<std::int64_t>(value(i));
  }
  return finish(t.to(dtype).to(options.device), options);
}

}  // namespace

Tensor empty(const Shape& shape, const Options& o) {
  const OpRange here("empty");
  return finish(fresh("empty", shape, o.dtype.value_or(default_dtype()), o.device), o);
}
namespace {
Tensor filled(const char* op, const Shape& shape, Scalar value, Dtype dtype, const Options& o) {
  const OpRange here(op);
  Tensor t = fresh(op, shape, dtype, o.device);
  fill(t, value);
  return finish(t, o);
}
Tensor cleared(const char* op, const Shape& shape, const Options& o) {
  Tensor t = fresh(op, shape, o.dtype.value_or(default_dtype()), o.device);
  if (!o.device.is_cpu()) return fill(t, 0), t;
  constexpr std::int64_t kGrain = 1 << 20;  // bytes
  parallel_for(static_cast<std::int64_t>(impl(t).storage->bytes), kGrain, [p = impl(t).data](std::int64_t begin, std::int64_t end) { std::memset(p + begin, 0, static_cast<std::size_t>(end - begin)); });
  return t;
}
}  // namespace
Tensor full(const Shape& shape, Scalar value, const Options& o) { return filled("full", shape, value, o.dtype.value_or(value.dtype()), o); }
Tensor zeros(const Shape& shape, const Options& o) {
  const OpRange here("zeros");
  return finish(cleared("zeros", shape, o), o);
}
Tensor ones(const Shape& shape, const Options& o) { return filled("ones", shape, 1, o.dtype.value_or(default_dtype()), o); }

Tensor eye(std::int64_t n, std::int64_t m, const Options& o) {
  const OpRange here("eye");
  const auto columns = m < 0 ? n : m;
  Tensor t = cleared("eye", {n, columns}, o);
  fill(make_alias(t, {std::min(n, columns)}, {columns + 1}, 0), 1);
  return finish(t, o);
}

Tensor arange(Scalar end, const Options& o) { return arange(0, end, 1, o); }
Tensor arange(Scalar start, Scalar end, Scalar step, const Options& o) {
  const OpRange here("arange");
  const bool floating = start.is_floating() || end.is_floating() || step.is_floating();
  const Dtype dtype = o.dtype.value_or(floating ? default_dtype() : Dtype::int64);
  const double a = start.to_double(), b = end.to_double(), s = step.to_double();
  check<ValueError>(s != 0 && std::isfinite(a) && std::isfinite(b) && std::isfinite(s), "arange", "start {}, end {}, step {}: all must be finite and step must not be 0", a, b, s);
  check<ValueError>((b - a) / s >= 0, "arange", "step {} leads from start {} away from end {}; change its sign", s, a, b);
  const double count = std::ceil((b - a) / s);
  check<ValueError>(count < 9e18, "arange", "start {}, end {}, step {} give too many values", a, b, s);
  const auto n = static_cast<std::int64_t>(std::max(count, 0.0));
  if (floating) return generate("arange", n, dtype, o, [&](std::int64_t i) { return a + static_cast<double>(i) * s; });
  const auto ia = start.to_int64(), is = step.to_int64();
  return generate("arange", n, dtype, o, [&](std::int64_t i) { return ia + i * is; });
}

Tensor linspace(Scalar start, Scalar end, std::int64_t count, const Options& o) {
  const OpRange here("linspace");
  check<ValueError>(count >= 0, "linspace", "count {} is negative", count);
  const double a = start.to_double(), b = end.to_double(), s = count > 1 ? (b - a) / static_cast<double>(count - 1) : 0;
  // counted from the nearer end, so that both ends are exact
  return generate("linspace", count, o.dtype.value_or(default_dtype()), o,
                  [&](std::int64_t i) { return i < count / 2 || count == 1 ? a + static_cast<double>(i) * s : b - static_cast<double>(count - 1 - i) * s; });
}
Tensor logspace(Scalar start, Scalar end, std::int64_t count, double base, const Options& o) {
  const OpRange here("logspace");
  check<ValueError>(count >= 0, "logspace", "count {} is negative", count);
  const double a = start.to_double(), b = end.to_double(), s = count > 1 ? (b - a) / static_cast<double>(count - 1) : 0;
  return generate("logspace", count, o.dtype.value_or(default_dtype()), o, [&](std::int64_t i) { return std::pow(base, a + static_cast<double>(i) * s); });
}

namespace {
/// Elements of a rows x columns matrix with column - row <= diagonal; all arguments inside the matrix.
std::int64_t count_below(std::int64_t rows, std::int64_t columns, std::int64_t diagonal) {
  const auto first = [&](__int128 n) {  // sum of min(s, columns) for s = 1..n
    if (n <= 0) return __int128{0};
    return n <= columns ? n * (n + 1) / 2 : static_cast<__int128>(columns) * (columns + 1) / 2 + (n - columns) * columns;
  };
  return static_cast<std::int64_t>(first(static_cast<__int128>(rows) + diagonal) - first(diagonal));
}
Tensor triangle(const char* op, bool lower, std::int64_t rows, std::int64_t columns, std::int64_t diagonal, const Options& o) {
  const OpRange here(op);
  check<ValueError>(rows >= 0 && columns >= 0, op, "{} rows and {} columns; sizes must not be negative", rows, columns);
  const Dtype dtype = o.dtype.value_or(Dtype::int64);
  check<DtypeError>(dtype == Dtype::int64 || dtype == Dtype::int32, op, "{} is not supported (expected int64 or int32)", dtype);
  const auto all = checked_numel(op, {rows, columns}, Dtype::int64);
  const std::int64_t d = std::clamp(diagonal, -rows, columns);
  const std::int64_t count = lower ? count_below(rows, columns, d) : all - count_below(rows, columns, std::max(d - 1, -rows));
  Tensor t = fresh(op, {2, count}, Dtype::int64, Device::cpu());
  std::int64_t *row = t.data<std::int64_t>(), *column = row + count, *const end = column;
  for (std::int64_t r = 0; row < end; ++r) {
    const std::int64_t edge = std::clamp<std::int64_t>(lower ? r + d + 1 : r + d, 0, columns);
    for (std::int64_t c = lower ? 0 : edge; c < (lower ? edge : columns); ++c) *row++ = r, *column++ = c;
  }
  return finish(t.to(dtype).to(o.device), o);
}
}  // namespace
Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t diagonal, const Options& o) { return triangle("tril_indices", true, rows, columns, diagonal, o); }
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t diagonal, const Options& o) { return triangle("triu_indices", false, rows, columns, diagonal, o); }

Tensor empty_like(const Tensor& x, const Options& o) {
  const OpRange here("empty_like", x);
  const Options all = like(x, o);
  return finish(make_like(x, *all.dtype, all.device), all);
}
Tensor full_like(const Tensor& x, Scalar value, const Options& o) {
  const OpRange here("full_like", x);
  Tensor t = empty_like(x, {.dtype = o.dtype, .device = o.device});
  fill(t, value);
  return finish(t, o);
}
Tensor zeros_like(const Tensor& x, const Options& o) {
  const OpRange here("zeros_like", x);
  return full_like(x, 0, o);
}
Tensor ones_like(const Tensor& x, const Options& o) {
  const OpRange here("ones_like", x);
  return full_like(x, 1, o);
}

// ---- from values ------------------------------------------------------------------------------------------------------------

namespace {
void measure(const Literal& v, Shape& shape, int depth, bool& floating, bool& boolean) {
  if (!v.is_list()) {
    check<ShapeError>(depth == shape.rank(), "tensor", "a number stands at depth {} where a list was expected; all rows must be nested alike", depth);
    floating |= v.scalar().kind() == Scalar::Kind::floating;
    boolean &= v.scalar().kind() == Scalar::Kind::boolean;
    return;
  }
  const auto n = static_cast<std::int64_t>(v.items().size());
  check<ShapeError>(depth < shape.rank() && shape[depth] == n, "tensor", "a list of {} values stands at depth {} where {} were expected; all rows must have one length", n,
                    depth, depth < shape.rank() ? shape[depth] : 0);
  for (const auto& item : v.items()) measure(item, shape, depth + 1, floating, boolean);
}
void collect(const Literal& v, std::vector<Scalar>& out) {
  if (!v.is_list()) return out.push_back(v.scalar());
  for (const auto& item : v.items()) collect(item, out);
}
}  // namespace

Tensor tensor(std::initializer_list<Literal> values, const Options& o) {
  const OpRange here("tensor");
  const Literal root(values);
  Shape shape;
  for (const Literal* v = &root; v->is_list(); v = &v->items()[0]) {
    shape.push_back(static_cast<std::int64_t>(v->items().size()));
    if (v->items().empty()) break;
  }
  bool floating = false, boolean = true;
  measure(root, shape, 0, floating, boolean);
  std::vector<Scalar> flat;
  collect(root, flat);
  const Dtype dtype = o.dtype.value_or(floating || flat.empty() ? default_dtype() : boolean ? Dtype::boolean : Dtype::int64);
  const Tensor t = fresh("tensor", shape, dtype, Device::cpu());
  for (std::size_t i = 0; i < flat.size(); ++i) std::memcpy(impl(t).data + i * size_of(dtype), ScalarBytes(flat[i], dtype).bytes, size_of(dtype));
  return finish(t.to(o.device), o);
}
Tensor tensor(Scalar value, const Options& o) { return full({}, value, o); }

Tensor detail::copy_of(const void* data, std::size_t count, Dtype dtype, const Shape& shape, const Options& o) {
  const auto numel = checked_numel("tensor", shape, dtype);
  check<ShapeError>(static_cast<std::uint64_t>(numel) == count, "tensor", "shape {} has {} elements, {} values were given", shape, numel, count);
  const Tensor t = fresh("tensor", shape, dtype, Device::cpu());
  if (count) std::memcpy(impl(t).data, data, count * size_of(dtype));
  return finish((o.dtype ? t.to(*o.dtype) : t).to(o.device), o);
}

Tensor detail::borrow(void* data, std::size_t count, Dtype dtype, const Shape& shape, const Strides* strides, std::function<void()> deleter) {
  const auto numel = checked_numel("from_blob", shape, dtype);
  Strides steps = strides ? *strides : row_major_strides(shape);
  check<ShapeError>(steps.rank() == shape.rank(), "from_blob", "shape {} and strides {} differ in rank", shape, steps);
  std::int64_t last = 0;
  for (int i = 0; i < shape.rank(); ++i) {
    check<ValueError>(steps[i] >= 0, "from_blob", "stride {} at axis {} is negative", steps[i], i);
    if (numel > 0) last = checked_add("from_blob", last, checked_mul("from_blob", shape[i] - 1, steps[i]));
  }
  check<ShapeError>(numel == 0 || static_cast<std::uint64_t>(last) < count, "from_blob", "shape {} with strides {} needs {} elements, the memory holds {}", shape, steps, last + 1, count);
  check<ValueError>(reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) == 0, "from_blob", "the memory is not aligned to {} bytes, the size of {}", size_of(dtype), dtype);
  Tensor t = adopt(new TensorImpl);
  auto& i = impl(t);
  i.storage = Storage::borrow(data, count * size_of(dtype), Device::cpu(), std::move(deleter));
  i.dtype = dtype;
  i.data = static_cast<std::byte*>(data);
  i.numel = numel;
  i.contiguous = strides_are_contiguous(shape, steps);
  i.shape = shape;
  i.strides = std::move(steps);
  return t;
}

// ---- conversions --------------------------------------------------------------------------------------------------------------

namespace {
auto back_to(Dtype d) {
  return [d](const Tensor& g) { return g.to(d); };
}
}  // namespace

Tensor Tensor::to(Dtype dtype) const {
  const OpRange here("to", *this);
  check_defined("to", *this);
  if (impl(*this).dtype == dtype) return *this;
  Tensor out = make_like(*this, dtype);
  kernels(*this).copy(rill::view(*this), rill::view(out));
  if (!is_floating(dtype)) return out;
  return record("to", std::move(out), rill::grad(*this, back_to(impl(*this).dtype)));
}
Tensor Tensor::to(Device device) const {
  const OpRange here("to", *this);
  check_defined("to", *this);
  if (impl(*this).device == device) return *this;
  const Device from = impl(*this).device;
  backend_of("to", device.is_cpu() ? from : device);
  Tensor out = make_like(*this, impl(*this).dtype, device);
  copy_between(impl(out).strides == impl(*this).strides ? *this : clone(MemoryFormat::contiguous), out);
  return record("to", std::move(out), rill::grad(*this, [from](const Tensor& g) { return g.to(from); }));
}
Tensor Tensor::to(const Options& o) const {
  const OpRange here("to", *this);
  const Tensor moved = to(o.device);
  return o.dtype ? moved.to(*o.dtype) : moved;
}

Tensor Tensor::clone(MemoryFormat format) const {
  const OpRange here("clone", *this);
  check_defined("clone", *this);
  const auto& i = impl(*this);
  Tensor out = format == MemoryFormat::preserve ? make_like(*this)
               : format == MemoryFormat::contiguous ? make_tensor(i.shape, i.dtype, i.device)
                                                    : make_strided(i.shape, channels_last_strides("clone", i.shape), i.dtype, i.device);
  kernels(*this).copy(rill::view(*this), rill::view(out));
  return record("clone", std::move(out), rill::grad(*this, [](const Tensor& g) { return g; }));
}

Tensor Tensor::contiguous(MemoryFormat format) const {
  const OpRange here("contiguous", *this);
  check_defined("contiguous", *this);
  return format == MemoryFormat::preserve || is_contiguous(format) ? *this : clone(format);
}

Scalar Tensor::item() const {
  const OpRange here("item", *this);
  check_defined("item", *this);
  const auto& i = impl(*this);
  if (!i.device.is_cpu()) return detach().to(Device::cpu()).item();
  check<ShapeError>(i.numel == 1, "item", "{} has {} elements; item() reads exactly one, use to_vector() or an index", describe(*this), i.numel);
  switch (i.dtype) {
    case Dtype::boolean: return *data<bool>();
    case Dtype::uint8: return *data<std::uint8_t>();
    case Dtype::int8: return *data<std::int8_t>();
    case Dtype::int16: return *data<std::int16_t>();
    case Dtype::int32: return *data<std::int32_t>();
    case Dtype::int64: return *data<std::int64_t>();
    case Dtype::float16: return *data<Half>();
    case Dtype::bfloat16: return *data<BFloat16>();
    case Dtype::float32: return *data<float>();
    default: return *data<double>();
  }
}

#define RILL_VALUES(T, dtype_)                                                                        \
  template <> T Tensor::item<T>() const {                                                             \
    check_defined("item", *this);                                                                     \
    check<ShapeError>(impl(*this).numel == 1, "item", "{} has {} elements; item() reads exactly one, use to_vector() or an index", describe(*this), impl(*this).numel); \
    return *detach().to(dtype_).to(Device::cpu()).data<T>();                                                            \
  }                                                                                                   \
  template <> std::vector<T> Tensor::to_vector<T>() const {                                           \
    check_defined("to_vector", *this);                                                                \
    const Tensor flat = detach().to(dtype_).to(Device::cpu()).contiguous();                                             \
    const T* p = flat.data<T>();                                                                      \
    return std::vector<T>(p, p + flat.numel());                                                       \
  }
RILL_VALUES(bool, Dtype::boolean)
RILL_VALUES(std::uint8_t, Dtype::uint8)
RILL_VALUES(std::int8_t, Dtype::int8)
RILL_VALUES(std::int16_t, Dtype::int16)
RILL_VALUES(std::int32_t, Dtype::int32)
RILL_VALUES(std::int64_t, Dtype::int64)
RILL_VALUES(float, Dtype::float32)
RILL_VALUES(double, Dtype::float64)
#undef RILL_VALUES

}  // namespace rill

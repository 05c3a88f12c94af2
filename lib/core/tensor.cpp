#include <rill/core/accessor.h>
#include <rill/core/tensor.h>

#include <algorithm>
#include <cstring>

#include "lib/core/checked.h"
#include "lib/core/memory_pool.h"
#include "lib/core/tensor_impl.h"
#include "lib/core/thread_state.h"

namespace rill {

// ---- TensorImpl ---------------------------------------------------------------------------------------------------------

void detail::destroy_tensor(Counted* p) noexcept { delete static_cast<TensorImpl*>(p); }

bool strides_are_contiguous(const Shape& shape, const Strides& strides) noexcept {
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

Tensor make_tensor(const Shape& shape, Dtype dtype, Device device) {
  auto* p = new TensorImpl;
  Tensor t = adopt(p);
  p->dtype = dtype;
  p->device = device;
  p->inference = thread_state.inference;
  p->shape = shape;
  std::int64_t numel = 1;
  Strides& strides = p->strides = shape;
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    numel *= shape[i];
    strides[i] = step;
    step *= shape[i] > 0 ? shape[i] : 1;
  }
  p->numel = numel;
  p->storage = Storage::allocate(static_cast<std::size_t>(numel) * size_of(dtype), device);
  p->data = p->storage->data;
  return t;
}

Tensor make_strided(const Shape& shape, const Strides& strides, Dtype dtype, Device device) {
  Tensor t = make_tensor(shape, dtype, device);
  impl(t).strides = strides;
  impl(t).contiguous = strides_are_contiguous(shape, strides);
  return t;
}

namespace {
/// Dense: some order of the axes is row-major without gaps.
bool is_dense(const TensorImpl& t) {
  if (t.contiguous) return true;
  std::int64_t span = 1;
  for (int i = 0; i < t.shape.rank(); ++i) {
    if (t.shape[i] != 1 && t.strides[i] == 0) return false;
    span += (t.shape[i] - 1) * t.strides[i];
  }
  if (span != t.numel) return false;
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;  // stride, size
  for (int i = 0; i < t.shape.rank(); ++i)
    if (t.shape[i] != 1) axes.emplace_back(t.strides[i], t.shape[i]);
  std::sort(axes.begin(), axes.end());
  std::int64_t step = 1;
  for (auto [stride, size] : axes) {
    if (stride != step) return false;
    step *= size;
  }
  return true;
}
}  // namespace
[[gnu::noinline]] Tensor make_like(const Tensor& t, Dtype dtype, Device device) {
  const auto& i = impl(t);
  return is_dense(i) ? make_strided(i.shape, i.strides, dtype, device) : make_tensor(i.shape, dtype, device);
}

Tensor make_like(const Tensor& t, Dtype dtype) {
  const auto& i = impl(t);
  if (i.contiguous) [[likely]] {  // strides are known; those of size-1 axes may be any
    auto* p = new TensorImpl(dtype, i.device, i.shape, i.strides, Storage::allocate(static_cast<std::size_t>(i.numel) * size_of(dtype), i.device));
    p->inference = thread_state.inference;
    p->numel = i.numel;
    return adopt(p);
  }
  return make_like(t, dtype, i.device);
}
Tensor make_like(const Tensor& t) { return make_like(t, impl(t).dtype); }

namespace {
/// All of an alias but its storage.
[[gnu::always_inline]] inline TensorImpl* alias_impl(const TensorImpl& from, const Shape& shape, const Strides& strides, std::int64_t offset) {
  auto* p = new TensorImpl(from.dtype, from.device, shape, strides);
  p->inference = from.inference;
  p->data = from.data + offset * static_cast<std::int64_t>(size_of(from.dtype));
  std::int64_t numel = 1;
  bool contiguous = true;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    contiguous &= shape[i] == 1 || strides[i] == numel;
    numel *= shape[i];
  }
  p->numel = numel;
  p->contiguous = contiguous || numel == 0;
  return p;
}
/// Note [Borrowed storage]
[[gnu::always_inline]] inline void set_base(TensorImpl* view, const Tensor& t) {
  view->storage = Ref<Storage>::adopt(impl(t).storage.get());
  view->base = impl(t).base.defined() ? impl(t).base : t;
}
}  // namespace

Tensor make_alias(const Tensor& t, const Shape& shape, const Strides& strides, std::int64_t offset) {
  auto* p = alias_impl(impl(t), shape, strides, offset);
  p->storage = impl(t).storage;
  return adopt(p);
}
Tensor make_view_of(const Tensor& t, const Shape& shape, const Strides& strides, std::int64_t offset) {
  auto* p = alias_impl(impl(t), shape, strides, offset);
  set_base(p, t);
  return adopt(p);
}
Tensor make_row_major_view_of(const Tensor& t, const Shape& shape) {
  const auto& from = impl(t);
  auto* p = new TensorImpl(from.dtype, from.device, shape, shape);
  set_base(p, t);
  p->inference = from.inference;
  p->data = from.data;
  p->numel = from.numel;
  const std::int64_t* sizes = p->shape.data();
  std::int64_t* strides = p->strides.data();
  std::int64_t step = 1;
  for (int i = p->shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= sizes[i] > 0 ? sizes[i] : 1;
  }
  return adopt(p);
}

Tensor make_detached(const Tensor& t) { return make_alias(t, impl(t).shape, impl(t).strides, 0); }

// ---- properties ---------------------------------------------------------------------------------------------------------

namespace {
const TensorImpl& of(const Tensor& t, const char* op) {
  check_defined(op, t, "the tensor");
  return impl(t);
}
}  // namespace

const Shape& Tensor::shape() const { return of(*this, "shape").shape; }
const Strides& Tensor::strides() const { return of(*this, "strides").strides; }
std::int64_t Tensor::dim() const { return of(*this, "dim").shape.rank(); }
std::int64_t Tensor::numel() const { return of(*this, "numel").numel; }
std::int64_t Tensor::size(std::int64_t axis) const {
  const auto& s = of(*this, "size").shape;
  check<IndexError>(s.rank() > 0, "size", "a 0-dim tensor has no axis {}", axis);
  return s[wrap_axis("size", axis, s.rank())];
}
std::int64_t Tensor::storage_offset() const {
  const auto& i = of(*this, "storage_offset");
  return (i.data - i.storage->data) / static_cast<std::int64_t>(size_of(i.dtype));
}
std::size_t Tensor::element_size() const { return size_of(dtype()); }
std::size_t Tensor::nbytes() const { return static_cast<std::size_t>(numel()) * element_size(); }
Dtype Tensor::dtype() const { return of(*this, "dtype").dtype; }
Device Tensor::device() const { return of(*this, "device").device; }
bool Tensor::is_contiguous(MemoryFormat format) const {
  const auto& i = of(*this, "is_contiguous");
  if (format != MemoryFormat::channels_last) return i.contiguous;
  if (i.shape.rank() < 3 || i.shape.rank() > 5) return false;
  const Strides wanted = channels_last_strides("is_contiguous", i.shape);
  for (int k = 0; k < i.shape.rank(); ++k)
    if (i.shape[k] != 1 && i.strides[k] != wanted[k]) return false;
  return true;
}

const std::string& Tensor::name() const {
  static const std::string none;
  const auto& n = of(*this, "name").name;
  return n ? *n : none;
}
const Tensor& Tensor::set_name(std::string name) const {
  of(*this, "set_name");
  impl(*this).name = std::make_unique<std::string>(std::move(name));
  return *this;
}
bool Tensor::shares_storage(const Tensor& other) const {
  return defined() && other.defined() && impl(*this).storage == impl(other).storage;
}
std::uint32_t Tensor::version() const { return of(*this, "version").storage->version.load(std::memory_order_relaxed); }

void* Tensor::data_ptr() const { return of(*this, "data_ptr").data; }
void* Tensor::checked_data(Dtype wanted) const {
  const auto& i = of(*this, "data");
  check<DtypeError>(i.dtype == wanted, "data", "the elements of {} are not {}; convert with .to(rill::{})", describe(*this), wanted, wanted);
  check<DeviceError>(i.device.is_cpu(), "data", "{} lives on {}; copy it with .to(Device::cpu())", describe(*this), i.device);
  return i.data;
}

void detail::check_accessor(const Tensor& t, int rank) {
  check_defined("accessor", t);
  check<ShapeError>(impl(t).shape.rank() == rank, "accessor", "{} has rank {}, but {} indices were asked for", describe(t), impl(t).shape.rank(), rank);
}

std::string describe(const Tensor& t) {
  if (!t.defined()) return "undefined";
  const auto& i = impl(t);
  std::string s = fmt::format("{} {}", i.dtype, i.shape);
  if (i.name) s = *i.name + " " + s;
  if (!i.device.is_cpu()) s += " on " + to_string(i.device);
  return s;
}

}  // namespace rill

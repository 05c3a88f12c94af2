// What a Tensor handle points to.
#pragma once

#include <memory>

#include "lib/core/memory_pool.h"
#include "lib/core/storage.h"

namespace rill {

/// The part of a tape node that core knows: it can be counted and dropped. autograd/node.h derives from it.
struct GraphNode : Counted {
  static void destroy(GraphNode* node) noexcept;  // autograd/node.cpp; a loop, never a recursion
};

namespace detail {

struct TensorImpl : Counted {
  Dtype dtype = Dtype::float32;
  Device device;
  bool contiguous = true;      // row-major without gaps; computed once
  bool inference = false;      // made in inference mode: may not be saved for backward
  std::int64_t numel = 0;
  std::byte* data = nullptr;   // first element
  Ref<Storage> storage;
  Ref<GraphNode> node;         // the op that made it, or the accumulator of a leaf; null: not on the tape
  std::uint32_t slot = 0;      // which output of `node`
  std::uint32_t history = 0;   // Note [In-place writes to views], autograd/inplace.cpp
  Tensor base;                 // views: the tensor that owns the history of the storage
  std::unique_ptr<std::string> name;
  Shape shape;
  Strides strides;

  TensorImpl() = default;
  TensorImpl(Dtype dtype, Device device, const Shape& shape, const Strides& strides) : dtype(dtype), device(device), shape(shape), strides(strides) {}
  TensorImpl(Dtype dtype, Device device, const Shape& shape, const Strides& strides, Ref<Storage> storage)
      : dtype(dtype), device(device), data(storage->data), storage(std::move(storage)), shape(shape), strides(strides) {}
  TensorImpl(const TensorImpl&) = delete;
  ~TensorImpl() {
    if (base.defined()) storage.leak();
  }
  /// A view becomes a tensor of its own that shares memory with the former base.
  void leave_base() {
    if (!base.defined()) return;
    storage.get()->retain();
    base = {};
  }
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { pool::release(p, bytes); }
};
// Note [Borrowed storage]: a tensor with a base does not count as a user of the storage, its base does. That saves two locked
// instructions in the life of every view. `base` is therefore set once, by make_view_of and its like, and dropped by leave_base only.
static_assert(sizeof(TensorImpl) <= 192);

struct Access {
  static TensorImpl* impl(const Tensor& t) noexcept { return static_cast<TensorImpl*>(t.impl_); }
  static Tensor adopt(TensorImpl* impl) noexcept { return Tensor(impl, Tensor::Adopt{}); }
};

}  // namespace detail

using detail::TensorImpl;
/// The implementation of a defined tensor.
inline TensorImpl& impl(const Tensor& t) noexcept { return *detail::Access::impl(t); }
inline Tensor adopt(TensorImpl* p) noexcept { return detail::Access::adopt(p); }

/// An uninitialised row-major tensor; the shape has been checked or comes from another tensor.
Tensor make_tensor(const Shape& shape, Dtype dtype, Device device);
/// The same with given strides over a storage of its own (strides must be a permutation of a dense layout).
Tensor make_strided(const Shape& shape, const Strides& strides, Dtype dtype, Device device);
/// Uninitialised, like `t` in shape, dtype and device; keeps the order of strides if `t` is dense.
Tensor make_like(const Tensor& t);
Tensor make_like(const Tensor& t, Dtype dtype);
Tensor make_like(const Tensor& t, Dtype dtype, Device device);
/// Shares the storage of `t`; offset in elements from the first element of `t`. Not recorded: views go through ops/view.h.
Tensor make_alias(const Tensor& t, const Shape& shape, const Strides& strides, std::int64_t offset);
/// The same as a view: with `t`, or the base of `t`, as its base.
Tensor make_view_of(const Tensor& t, const Shape& shape, const Strides& strides, std::int64_t offset);
/// The elements of a contiguous `t` under another shape with as many elements.
Tensor make_row_major_view_of(const Tensor& t, const Shape& shape);
/// The same tensor without its history (for saved outputs and detach).
Tensor make_detached(const Tensor& t);

bool strides_are_contiguous(const Shape& shape, const Strides& strides) noexcept;
inline void bump_version(const Tensor& t) noexcept { impl(t).storage->version.fetch_add(1, std::memory_order_relaxed); }

}  // namespace rill

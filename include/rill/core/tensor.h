// The tensor handle. Copying a Tensor never copies data; `clone()` does.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rill/core/device.h>
#include <rill/core/dtype.h>
#include <rill/core/error.h>
#include <rill/core/scalar.h>
#include <rill/core/shape.h>

namespace rill {

/// The order of strides in memory. `channels_last` keeps the logical order N, C, spatial... and stores C innermost (rank 3 to 5).
enum class MemoryFormat : std::uint8_t { contiguous, channels_last, preserve };

/// What a new tensor looks like: `zeros({2, 3}, {.dtype = rill::int64})`. Without dtype: the default floating dtype
/// (or the dtype of the values it is made from).
struct Options {
  std::optional<Dtype> dtype = {};
  Device device = {};
  bool requires_grad = false;
};

/// One axis of `x(...)`: elements start, start + step, ... before stop. Negative bounds count from the end and bounds outside
/// the axis are clipped, as in Python; step must be positive.
struct Slice {
  std::optional<std::int64_t> start = {}, stop = {};
  std::int64_t step = 1;
  Slice() = default;
  Slice(std::optional<std::int64_t> start, std::optional<std::int64_t> stop = {}, std::int64_t step = 1)
      : start(start), stop(stop), step(step) {}
};
/// Inserts an axis of size 1.
struct None {};
inline constexpr None newaxis{};
/// Stands for as many full slices as fit.
struct EllipsisType {};
inline constexpr EllipsisType Ellipsis{};

class Index;
class Indexed;
class Tensor;
struct Node;

namespace detail {
struct Counted {  // intrusive reference count
  mutable std::atomic<std::uint32_t> references{1};
  void retain() const noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  bool release() const noexcept {  // true: that was the last reference
    return references.load(std::memory_order_acquire) == 1 || references.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
};
void destroy_tensor(Counted* impl) noexcept;
struct TensorImpl;
struct Access;  // the door for the library's own sources
}  // namespace detail

/// Removes a hook when asked; dropping the handle keeps the hook.
class HookHandle {
 public:
  HookHandle() = default;
  explicit HookHandle(std::function<void()> remove) : remove_(std::move(remove)) {}
  void remove() { if (remove_) remove_(), remove_ = nullptr; }

 private:
  std::function<void()> remove_;
};

/// An n-dimensional array on one device: a handle to shared storage plus shape, strides, dtype and an optional name.
/// Const use from many threads is safe; concurrent writes to one storage are the caller's race.
class Tensor {
 public:
  Tensor() noexcept {}  ///< no tensor: `defined()` is false
  Tensor(const Tensor& other) noexcept : impl_(other.impl_) { if (impl_) impl_->retain(); }
  Tensor(Tensor&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  ~Tensor() { drop(); }
  Tensor& operator=(const Tensor& other) & noexcept { return Tensor(other).swap(*this), *this; }
  Tensor& operator=(Tensor&& other) & noexcept { return Tensor(std::move(other)).swap(*this), *this; }
  /// Assigning to a temporary writes through it: `x[0] = y` copies y into the first row of x.
  Tensor& operator=(const Tensor& value) &&;
  Tensor& operator=(Scalar value) &&;
  void swap(Tensor& other) noexcept { std::swap(impl_, other.impl_); }

  // ---- properties -------------------------------------------------------------------------------------------------
  bool defined() const noexcept { return impl_ != nullptr; }
  const Shape& shape() const;
  const Strides& strides() const;                      ///< in elements
  std::int64_t dim() const;                            ///< rank
  std::int64_t numel() const;
  std::int64_t size(std::int64_t axis) const;          ///< negative axes count from the end; IndexError outside
  std::int64_t storage_offset() const;                 ///< in elements
  std::size_t element_size() const;
  std::size_t nbytes() const;                          ///< numel * element_size
  Dtype dtype() const;
  Device device() const;
  bool is_contiguous(MemoryFormat format = MemoryFormat::contiguous) const;
  bool is_floating_point() const { return is_floating(dtype()); }
  /// An optional label, shown in prints, errors and graph dumps.
  const std::string& name() const;
  const Tensor& set_name(std::string name) const;
  bool is_same(const Tensor& other) const noexcept { return impl_ == other.impl_; }
  bool shares_storage(const Tensor& other) const;
  std::uint32_t version() const;                       ///< raised by each in-place write to the storage

  // ---- values -----------------------------------------------------------------------------------------------------
  /// The first element; throws DtypeError when T is not the element type and DeviceError when the tensor is not on the CPU.
  template <class T> T* data() const { return static_cast<T*>(checked_data(dtype_of<T>)); }
  void* data_ptr() const;
  /// The only element, converted; throws ShapeError when there is not exactly one.
  Scalar item() const;
  template <class T> T item() const;
  /// All elements in logical order, converted to T.
  template <class T> std::vector<T> to_vector() const;

  // ---- conversions ------------------------------------------------------------------------------------------------
  Tensor to(Dtype dtype) const;                        ///< this tensor itself when nothing changes
  Tensor to(Device device) const;
  Tensor to(const Options& options) const;
  Tensor cpu() const { return to(Device::cpu()); }
  Tensor cuda(int index = 0) const { return to(Device::cuda(index)); }
  Tensor clone(MemoryFormat format = MemoryFormat::preserve) const;
  Tensor contiguous(MemoryFormat format = MemoryFormat::contiguous) const;

  // ---- autograd (rill/autograd/*.h) ---------------------------------------------------------------------------------
  bool requires_grad() const noexcept;
  /// Makes a leaf record operations on it. GradError for a non-leaf (off) or a tensor that is not floating point (on).
  const Tensor& requires_grad_(bool on = true) const;
  bool is_leaf() const noexcept;
  Tensor grad() const;                                 ///< undefined until a backward pass reached this leaf
  void set_grad(const Tensor& grad) const;             ///< an undefined tensor clears it
  void retain_grad() const;                            ///< keeps `.grad` of a non-leaf
  Tensor detach() const;                               ///< same storage and version counter, off the tape
  const Tensor& detach_() const;
  /// Gradients of this tensor with respect to the leaves, added into their `.grad`. `gradient` may be omitted for one element.
  void backward(const Tensor& gradient = {}, std::optional<bool> retain_graph = {}, bool create_graph = false) const;
  std::string_view grad_fn() const noexcept;           ///< name of the op that made it; empty for a leaf
  /// Runs before the gradient of this tensor is accumulated or passed on; a defined result replaces the gradient.
  HookHandle register_hook(std::function<Tensor(const Tensor&)> hook) const;
  /// Leaves only: runs after `.grad` has been written.
  HookHandle register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook) const;

  // ---- indexing (rill/ops/index.h) ----------------------------------------------------------------------------------
  Tensor operator[](std::int64_t i) const;             ///< a view without the first axis
  Indexed operator[](const Tensor& index) const;       ///< mask or integer tensor; assignable
  /// `x(Slice(1, 3), Ellipsis, 0)` reads (basic indices give a view) and, assigned to, writes.
  template <class... I> Indexed operator()(const I&... indices) const;

  // ---- the most common ops as members; everything else is a free function ---------------------------------------------
  Tensor view(const Shape& shape) const;
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(std::int64_t start = 0, std::int64_t end = -1) const;
  Tensor transpose(std::int64_t a, std::int64_t b) const;
  Tensor permute(const Dims& axes) const;
  Tensor t() const;                                    ///< transpose of rank 2, the tensor itself below
  Tensor T() const { return t(); }                     ///< PyTorch's x.T; other ranks: mT() or permute()
  Tensor mT() const;                                   ///< transpose of the last two axes
  Tensor squeeze() const;
  Tensor squeeze(std::int64_t axis) const;
  Tensor unsqueeze(std::int64_t axis) const;
  Tensor expand(const Shape& shape) const;
  Tensor select(std::int64_t axis, std::int64_t index) const;
  Tensor narrow(std::int64_t axis, std::int64_t start, std::int64_t length) const;
  Tensor sum() const;
  Tensor sum(const Dims& axes, bool keepdim = false) const;
  Tensor mean() const;
  Tensor mean(const Dims& axes, bool keepdim = false) const;
  Tensor max() const;
  Tensor min() const;
  Tensor argmax() const;
  Tensor argmax(std::int64_t axis, bool keepdim = false) const;

  // In place; they return this tensor. GradError on a leaf that requires grad while recording.
  const Tensor& copy_(const Tensor& source) const;
  const Tensor& fill_(Scalar value) const;
  const Tensor& zero_() const { return fill_(0); }
  const Tensor& add_(const Tensor& other, Scalar alpha = 1) const;
  const Tensor& sub_(const Tensor& other, Scalar alpha = 1) const;
  const Tensor& mul_(const Tensor& other) const;
  const Tensor& div_(const Tensor& other) const;
  const Tensor& add_(Scalar value) const;
  const Tensor& sub_(Scalar value) const;
  const Tensor& mul_(Scalar value) const;
  const Tensor& div_(Scalar value) const;
  const Tensor& uniform_(double low = 0, double high = 1) const;
  const Tensor& normal_(double mean = 0, double std = 1) const;
  const Tensor& operator+=(const Tensor& o) const { return add_(o); }
  const Tensor& operator-=(const Tensor& o) const { return sub_(o); }
  const Tensor& operator*=(const Tensor& o) const { return mul_(o); }
  const Tensor& operator/=(const Tensor& o) const { return div_(o); }
  const Tensor& operator+=(Scalar v) const { return add_(v); }
  const Tensor& operator-=(Scalar v) const { return sub_(v); }
  const Tensor& operator*=(Scalar v) const { return mul_(v); }
  const Tensor& operator/=(Scalar v) const { return div_(v); }

 private:
  friend struct detail::Access;
  struct Adopt {};
  Tensor(detail::Counted* impl, Adopt) noexcept : impl_(impl) {}
  void drop() noexcept { if (impl_ && impl_->release()) detail::destroy_tensor(impl_); }
  void* checked_data(Dtype wanted) const;
  detail::Counted* impl_ = nullptr;
};

/// The text that PyTorch prints for the same values, without the word "tensor" being special: `tensor([[1., 2.]])`.
std::string to_string(const Tensor& t);

/// One element of an index expression.
class Index {
 public:
  enum class Kind : std::uint8_t { integer, slice, newaxis, ellipsis, tensor };
  template <std::integral I> Index(I i) requires(!std::same_as<I, bool>) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(i)) {}
  Index(Slice s) : kind_(Kind::slice), slice_(s) {}
  Index(None) : kind_(Kind::newaxis) {}
  Index(EllipsisType) : kind_(Kind::ellipsis) {}
  Index(Tensor t) : kind_(Kind::tensor), tensor_(std::move(t)) {}
  Kind kind() const noexcept { return kind_; }
  std::int64_t integer() const noexcept { return integer_; }
  const Slice& slice() const noexcept { return slice_; }
  const Tensor& tensor() const noexcept { return tensor_; }

 private:
  Kind kind_;
  std::int64_t integer_ = 0;
  Slice slice_;
  Tensor tensor_;
};

/// What `x(...)` returns: the selected values as a tensor, and the place they came from. Assigning to the temporary writes
/// to that place: `x(mask) = 0`, `x(Slice(0, 2), 1) += y`.
class Indexed : public Tensor {
 public:
  Indexed(Tensor selected, Tensor source, std::vector<Index> indices)
      : Tensor(std::move(selected)), source_(std::move(source)), indices_(std::move(indices)) {}
  Indexed(const Indexed&) = default;
  Indexed(Indexed&&) = default;
  void operator=(const Tensor& value) &&;
  void operator=(const Indexed& value) && { std::move(*this) = static_cast<const Tensor&>(value); }
  void operator=(Scalar value) &&;
  void operator+=(const Tensor& v) &&;
  void operator-=(const Tensor& v) &&;
  void operator*=(const Tensor& v) &&;
  void operator/=(const Tensor& v) &&;

 private:
  Tensor source_;
  std::vector<Index> indices_;
};

/// The selection that `x(...)` makes.
Indexed index(const Tensor& x, std::vector<Index> indices);

template <class... I> Indexed Tensor::operator()(const I&... indices) const {
  return index(*this, std::vector<Index>{Index(indices)...});
}

}  // namespace rill

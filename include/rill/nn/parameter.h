// Tensors that belong to a module. They have the semantics of values: a copy of a module is a snapshot of its weights.
#pragma once

#include <utility>

#include <rill/core/tensor.h>

namespace rill::nn {

/// A tensor that copies its values when it is copied. As a plain Tensor it is a handle as usual, so ops and optimizers share it.
class Owned : public Tensor {
 public:
  Owned() noexcept { ++live_; }
  Owned(const Owned& other) : Tensor(other.copy()) { ++live_; }
  Owned(Owned&& other) noexcept : Tensor(static_cast<Tensor&&>(other)) { ++live_; }
  ~Owned() { --live_; }
  /// Writes the values into the tensor that is already here when shape, dtype and device agree, so that an optimizer which holds it
  /// goes on with the new values; otherwise takes a copy.
  Owned& operator=(const Owned& other);
  Owned& operator=(Owned&& other) noexcept {
    Tensor::operator=(static_cast<Tensor&&>(other));
    return *this;
  }
  /// Makes this the same tensor as `other` (tied weights), until this one is assigned to.
  void tie(const Owned& other) & { Tensor::operator=(static_cast<const Tensor&>(other)); }
  /// Puts another tensor in this place.
  void reset(Tensor value) & { Tensor::operator=(std::move(value)); }
  /// How many exist in this thread; see check_parts.
  static long live() noexcept { return live_; }

 protected:
  explicit Owned(Tensor value) : Tensor(std::move(value)) { ++live_; }

 private:
  Tensor copy() const;
  static thread_local long live_;
};

class ParametrizationList;

namespace detail {
/// Owns the list and copies it with its tensors; see rill/nn/parametrize.h.
class ParametrizationHandle {
 public:
  ParametrizationHandle() noexcept = default;
  ParametrizationHandle(const ParametrizationHandle& other);
  ParametrizationHandle(ParametrizationHandle&& other) noexcept : list_(std::exchange(other.list_, nullptr)) {}
  ParametrizationHandle& operator=(const ParametrizationHandle& other);
  ParametrizationHandle& operator=(ParametrizationHandle&& other) noexcept { return std::swap(list_, other.list_), *this; }
  ~ParametrizationHandle() { if (list_) reset(nullptr); }
  ParametrizationList* get() const noexcept { return list_; }
  void reset(ParametrizationList* list) noexcept;  ///< takes it over

 private:
  ParametrizationList* list_ = nullptr;
};
}  // namespace detail

/// A tensor that training changes: a leaf that requires a gradient. A default-constructed one is absent (a layer without bias).
/// One with a parametrization is made of other parameters each time its module runs.
class Parameter : public Owned {
 public:
  Parameter() = default;
  /// Takes over the tensor (detached from its history). DtypeError unless it is floating point.
  explicit Parameter(const Tensor& value);
  /// What it is made with, or null.
  ParametrizationList* parametrization() const noexcept { return parametrization_.get(); }
  void set_parametrization(ParametrizationList* list) noexcept { parametrization_.reset(list); }  ///< takes it over

 private:
  detail::ParametrizationHandle parametrization_;
};

/// State that is saved with the parameters but not trained, as the running statistics of batch normalisation.
class Buffer : public Owned {
 public:
  Buffer() = default;
  explicit Buffer(const Tensor& value) : Owned(value.detach()) {}
};

}  // namespace rill::nn

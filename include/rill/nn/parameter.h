// Tensors that belong to a module. They have the semantics of values: a copy of a module is a snapshot of its weights.
#pragma once

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

/// A tensor that training changes: a leaf that requires a gradient. A default-constructed one is absent (a layer without bias).
class Parameter : public Owned {
 public:
  Parameter() = default;
  /// Takes over the tensor (detached from its history). DtypeError unless it is floating point.
  explicit Parameter(const Tensor& value);
};

/// State that is saved with the parameters but not trained, as the running statistics of batch normalisation.
class Buffer : public Owned {
 public:
  Buffer() = default;
  explicit Buffer(const Tensor& value) : Owned(value.detach()) {}
};

}  // namespace rill::nn

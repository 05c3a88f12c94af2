// Intrusive pointer for the library's own counted objects.
#pragma once

#include <utility>

#include <rill/core/tensor.h>

namespace rill {
using detail::Counted;

/// Owns one reference of T; T provides `static void destroy(T*) noexcept`.
template <class T> class Ref {
 public:
  Ref() noexcept = default;
  static Ref adopt(T* p) noexcept { return Ref(p); }
  static Ref share(T* p) noexcept {
    if (p) p->retain();
    return Ref(p);
  }
  Ref(const Ref& o) noexcept : p_(o.p_) { if (p_) p_->retain(); }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <class U> requires std::is_convertible_v<U*, T*> Ref(Ref<U>&& o) noexcept : p_(o.leak()) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() { reset(); }
  void reset() noexcept {
    if (T* p = std::exchange(p_, nullptr); p && p->release()) T::destroy(p);
  }
  T* leak() noexcept { return std::exchange(p_, nullptr); }
  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.p_ == b.p_; }

 private:
  explicit Ref(T* p) noexcept : p_(p) {}
  T* p_ = nullptr;
};

}  // namespace rill

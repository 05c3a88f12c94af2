// A library that is loaded when one of its functions is first called. Those of CUDA are in libraries.h.
#pragma once

#include <atomic>
#include <mutex>
#include <span>

namespace rill::cuda {

class Library;

class AnyFunction {
 public:
  constexpr AnyFunction(Library& library, const char* name) : library_(library), name_(name) {}
  AnyFunction(const AnyFunction&) = delete;
  AnyFunction& operator=(const AnyFunction&) = delete;

 protected:
  void* address() const {
    void* at = address_.load(std::memory_order_acquire);
    return at ? at : loaded();
  }

 private:
  friend class Library;
  void* loaded() const;
  Library& library_;
  const char* name_;
  mutable std::atomic<void*> address_{nullptr};
};

/// A function of a library. Called as what it stands for; the first call may throw what Library::load throws.
template <class F> class Function;
template <class R, class... Args> class Function<R(Args...)> : public AnyFunction {
 public:
  using AnyFunction::AnyFunction;
  R operator()(Args... args) const { return reinterpret_cast<R (*)(Args...)>(address())(args...); }
};

class Library {
 public:
  /// `functions`: those that must be there.
  constexpr Library(const char* name, const char* file, std::span<const AnyFunction* const> functions) : name_(name), file_(file), functions_(functions) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  /// Finds the library and all of its functions; an Error for the running op says which is missing.
  void load();
  /// The address of a function, or null; loads the library.
  void* find(const char* function);
  const char* name() const { return name_; }

 private:
  const char *name_, *file_;
  std::span<const AnyFunction* const> functions_;
  std::mutex mutex_;
  void* handle_ = nullptr;
};

}  // namespace rill::cuda

// Modules that hold others, of any type, by value: a copy of a container copies the weights in it. For members of one type a
// std::vector, a std::optional or a vector of (name, module) pairs in `parts` is enough.
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <rill/nn/function.h>

namespace rill::nn {

/// What turns one tensor into one: most modules, and plain functions.
template <class T> concept Layer = std::is_invocable_r_v<Tensor, std::decay_t<T>&, const Tensor&>;
template <class T> concept ModuleOrFunction = std::derived_from<std::decay_t<T>, Module> || Layer<T>;

namespace detail {
[[noreturn]] void throw_no_layer(const Module& m);
[[noreturn]] void throw_other_type(const Module& m, const std::type_info& wanted);

struct Box {
  virtual ~Box() = default;
  virtual std::unique_ptr<Box> clone() const = 0;
  virtual bool assign(const Box& other) = 0;  // false: of another type
  virtual Tensor call(const Tensor& x) = 0;
  virtual Module& module() = 0;
};
template <class T> struct BoxOf final : Box {
  T value;
  explicit BoxOf(T v) : value(std::move(v)) {}
  std::unique_ptr<Box> clone() const override { return std::make_unique<BoxOf>(value); }
  bool assign(const Box& other) override {
    if constexpr (std::is_copy_assignable_v<T>)
      if (const auto* same = dynamic_cast<const BoxOf*>(&other)) return value = same->value, true;
    return false;
  }
  Tensor call(const Tensor& x) override {
    if constexpr (Layer<T>) return value(x);
    else throw_no_layer(value);
  }
  Module& module() override { return value; }
};
}  // namespace detail

/// A module of any type, or a plain function (as nn::Function).
class AnyModule {
 public:
  template <class T> requires(ModuleOrFunction<T> && !std::same_as<std::decay_t<T>, AnyModule>) AnyModule(T&& value) {
    if constexpr (std::derived_from<std::decay_t<T>, Module>) box_ = std::make_unique<detail::BoxOf<std::decay_t<T>>>(std::forward<T>(value));
    else box_ = std::make_unique<detail::BoxOf<Function>>(Function(std::forward<T>(value)));
  }
  AnyModule(const AnyModule& other) : box_(other.box_->clone()) {}
  AnyModule(AnyModule&&) noexcept = default;
  /// Between modules of one type as their own assignment, which writes into the tensors that optimizers hold.
  AnyModule& operator=(const AnyModule& other) {
    if (this != &other && !(box_ && box_->assign(*other.box_))) box_ = other.box_->clone();
    return *this;
  }
  AnyModule& operator=(AnyModule&&) noexcept = default;

  /// Runs it. FailedPrecondition for a module that does not turn one tensor into one; take that out with as().
  Tensor operator()(const Tensor& x) const { return box_->call(x); }
  Module& module() { return box_->module(); }
  const Module& module() const { return box_->module(); }
  /// As what it was put in. ValueError when it is another type.
  template <class T> T& as() {
    if (auto* value = dynamic_cast<T*>(&module())) return *value;
    detail::throw_other_type(module(), typeid(T));
  }
  template <class T> const T& as() const { return const_cast<AnyModule*>(this)->as<T>(); }

 private:
  std::unique_ptr<detail::Box> box_;
};

using NamedModules = std::initializer_list<std::pair<std::string, AnyModule>>;

/// Modules in order, named "0", "1", ...
class ModuleList : public Module {
 public:
  ModuleList() = default;
  template <class... T> requires(sizeof...(T) > 0 && (ModuleOrFunction<T> && ...) && !(sizeof...(T) == 1 && (std::derived_from<std::decay_t<T>, ModuleList> && ...)))
  explicit ModuleList(T&&... modules) { (push_back(std::forward<T>(modules)), ...); }

  void push_back(AnyModule module) { add(std::to_string(size()), std::move(module)); }
  std::size_t size() const noexcept { return modules_.size(); }
  /// IndexError outside.
  AnyModule& operator[](std::size_t i);
  const AnyModule& operator[](std::size_t i) const { return const_cast<ModuleList&>(*this)[i]; }
  auto begin() noexcept { return modules_.begin(); }
  auto end() noexcept { return modules_.end(); }
  auto begin() const noexcept { return modules_.begin(); }
  auto end() const noexcept { return modules_.end(); }
  const std::vector<std::string>& names() const noexcept { return names_; }
  void parts(Parts& p) override;

 protected:
  /// ValueError for a name that is empty, taken or has a dot.
  void add(std::string name, AnyModule module);

 private:
  std::vector<std::string> names_;
  std::vector<AnyModule> modules_;
};

/// Runs its modules one after another: nn::Sequential{nn::Linear(784, 128), relu, nn::Linear(128, 10)}; with names of one's own:
/// nn::Sequential{{"hidden", nn::Linear(784, 128)}, {"act", relu}}. A function counts as a module, so it takes a number. Write braces: C++ makes
/// the modules, and so draws their weights, from left to right only there.
class Sequential : public ModuleList {
 public:
  Sequential() = default;
  template <class... T> requires(sizeof...(T) > 0 && (Layer<T> && ...) && !(sizeof...(T) == 1 && (std::same_as<std::decay_t<T>, Sequential> && ...)))
  explicit Sequential(T&&... layers) { (push_back(std::forward<T>(layers)), ...); }
  Sequential(NamedModules layers);

  template <Layer T> void push_back(T&& layer) { ModuleList::push_back(std::forward<T>(layer)); }
  template <Layer T> void push_back(std::string name, T&& layer) { add(std::move(name), std::forward<T>(layer)); }
  Tensor operator()(const Tensor& x) const;
};

/// Modules with names, in the order in which they came.
class ModuleDict : public Module {
 public:
  ModuleDict() = default;
  ModuleDict(NamedModules modules);

  /// ValueError for a name that is empty, taken or has a dot.
  void insert(std::string name, AnyModule module);
  bool contains(const std::string& name) const;
  std::size_t size() const noexcept { return items_.size(); }
  /// ValueError when there is none of that name.
  AnyModule& operator[](const std::string& name);
  const AnyModule& operator[](const std::string& name) const { return const_cast<ModuleDict&>(*this)[name]; }
  auto begin() noexcept { return items_.begin(); }
  auto end() noexcept { return items_.end(); }
  auto begin() const noexcept { return items_.begin(); }
  auto end() const noexcept { return items_.end(); }
  void parts(Parts& p) override;

 private:
  std::vector<std::pair<std::string, AnyModule>> items_;
};

}  // namespace rill::nn

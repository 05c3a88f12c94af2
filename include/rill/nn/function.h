// A function as a layer.
#pragma once

#include <functional>
#include <string>

#include <rill/nn/module.h>

namespace rill::nn {

/// A function of one tensor. Layers without parameters derive from it and give it their name and arguments:
/// `struct Scale : nn::Function { explicit Scale(double f) : Function([=](const Tensor& x) { return x * f; }) {} };`.
class Function : public Module {
 public:
  /// `arguments` is what prints show in parentheses. ValueError for an empty function.
  explicit Function(std::function<Tensor(const Tensor&)> f, std::string arguments = {});
  Tensor operator()(const Tensor& x) const { return call(x, f_); }
  void parts(Parts&) override {}
  std::string describe() const override;

 private:
  std::function<Tensor(const Tensor&)> f_;
  std::string arguments_;
};

}  // namespace rill::nn

// Parameters that are made of others: weight normalisation, spectral normalisation and functions of one's own. What is trained and
// saved are the originals, under PyTorch's names ("parametrizations.weight.original"); the parameter itself is made, on the tape, each
// time its module runs, so a module with such parameters must not run in two threads at once.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rill/nn/containers.h>

namespace rill::nn {

namespace detail {
/// A module that makes a tensor of one or two.
struct ParametrizationBox {
  virtual ~ParametrizationBox() = default;
  virtual std::unique_ptr<ParametrizationBox> clone() const = 0;
  virtual Module& module() = 0;
  virtual Tensor make(const std::vector<Tensor>& originals) = 0;
  virtual std::vector<Tensor> right_inverse(const Tensor& value) = 0;
};
template <class P> struct ParametrizationBoxOf final : ParametrizationBox {
  P value;
  explicit ParametrizationBoxOf(P p) : value(std::move(p)) {}
  std::unique_ptr<ParametrizationBox> clone() const override { return std::make_unique<ParametrizationBoxOf>(value); }
  Module& module() override { return value; }
  Tensor make(const std::vector<Tensor>& originals) override {
    if constexpr (Layer<P>) return value(originals.at(0));
    else return value(originals.at(0), originals.at(1));
  }
  std::vector<Tensor> right_inverse(const Tensor& t) override {
    if constexpr (requires { value.right_inverse(t).second; }) {
      auto [first, second] = value.right_inverse(t);
      return {first, second};
    } else if constexpr (requires { value.right_inverse(t); }) {
      return {value.right_inverse(t)};
    } else {
      return {t};
    }
  }
};
void add_parametrization(Module& module, const std::string& name, std::unique_ptr<ParametrizationBox> parametrization);
}  // namespace detail

/// Modules of one tensor, or of two, and functions of one.
template <class P> concept Parametrizes = Layer<P> || (std::derived_from<P, Module> && std::is_invocable_r_v<Tensor, P&, const Tensor&, const Tensor&>);

/// From now on the parameter `name` of the module is parametrization(original). If the parametrization has a member right_inverse, the
/// original starts as right_inverse(parameter) (a std::pair for a parametrization of two tensors), otherwise as the parameter. A further
/// one on the same name (of one tensor) is applied to the result. Make optimizers afterwards. ValueError when the module itself has no such
/// parameter; ShapeError or DtypeError when the result is unlike the parameter. Then nothing has been changed.
template <Parametrizes P> void register_parametrization(Module& module, const std::string& name, P parametrization) {
  if constexpr (std::derived_from<P, Module>) detail::add_parametrization(module, name, std::make_unique<detail::ParametrizationBoxOf<P>>(std::move(parametrization)));
  else detail::add_parametrization(module, name, std::make_unique<detail::ParametrizationBoxOf<Function>>(Function(std::move(parametrization))));
}
/// The parameter is plain again, with the value that it had last. ValueError when it has no parametrization.
void remove_parametrizations(Module& module, const std::string& name);
bool is_parametrized(const Module& module, const std::string& name);

struct WeightNormOptions {
  std::string name = "weight";
  std::optional<std::int64_t> axis = 0;  ///< one length per position on it; none: one for all
};
/// weight = g v / |v|: length (original0) and direction (original1) are learned apart. Salimans and Kingma 2016.
void weight_norm(Module& module, const WeightNormOptions& options = {});

struct SpectralNormOptions {
  std::string name = "weight";
  int iterations = 1;                       ///< of the power method, in each training step
  double eps = 1e-12;
  std::optional<std::int64_t> axis = {};    ///< that of the outputs; default 0, 1 for transposed convolutions
};
/// weight = original / its largest singular value, estimated by the power method with vectors that are kept (buffers _u and _v). Miyato et al. 2018.
void spectral_norm(Module& module, const SpectralNormOptions& options = {});

/// Names of a state as PyTorch's older weight_norm (weight_g, weight_v) and spectral_norm (weight_orig, weight_u, weight_v) wrote them become
/// the present ones; others stay.
NamedTensors with_parametrization_names(const NamedTensors& state);

}  // namespace rill::nn

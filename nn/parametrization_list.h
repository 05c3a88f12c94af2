// The originals of a parameter and what makes it of them.
#pragma once

#include <rill/nn/parametrize.h>

namespace rill::nn {

class ParametrizationList : public Module {
 public:
  std::vector<Parameter> originals;
  std::vector<std::unique_ptr<detail::ParametrizationBox>> steps;

  ParametrizationList() = default;
  ParametrizationList(const ParametrizationList& other) : Module(other), originals(other.originals) {
    for (const auto& step : other.steps) steps.push_back(step->clone());
  }
  Tensor make() const;
  void parts(Parts& p) override;
};

namespace detail {
/// Makes the parametrized parameters of the module itself, not of modules in it.
void make_parametrized(const Module& module);
/// The parameter of that name of the module itself; ValueError when it has none.
Parameter& own_parameter(const char* op, const Module& module, const std::string& name);
}  // namespace detail

}  // namespace rill::nn

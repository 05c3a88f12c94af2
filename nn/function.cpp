#include <rill/nn/function.h>

#include "lib/core/check.h"
#include "nn/place.h"

namespace rill::nn {

Function::Function(std::function<Tensor(const Tensor&)> f, std::string arguments) : f_(std::move(f)), arguments_(std::move(arguments)) { check<ValueError>(f_ != nullptr, "Function", "the function is empty"); }
std::string Function::describe() const { return class_name(*this) + "(" + arguments_ + ")"; }

}  // namespace rill::nn

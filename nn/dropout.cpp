#include <rill/nn/dropout.h>

#include "nn/arguments.h"
#include "nn/place.h"
#include "nn/repr.h"

namespace rill::nn {

DropoutLayer::DropoutLayer(const char* layer, Op op, double p) : p(p), op_(op) { check_probability(layer, p); }
Tensor DropoutLayer::operator()(const Tensor& x) const {
  return call(x, [&](const Tensor& x) { return op_(x, p, training, default_generator()); });
}
std::string DropoutLayer::describe() const { return fmt::format("{}(p={}, inplace=False)", class_name(*this), repr::number(p)); }

}  // namespace rill::nn

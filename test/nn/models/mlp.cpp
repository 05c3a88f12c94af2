#include "test/nn/models/filled.h"

#include <rill/nn/models/mlp.h>

#include "test/support/message.h"

using namespace rill;
using namespace rill::nn::models;

TEST_CASE("Mlp: sizes, activation, dropout", "[nn][models]") {
  CHECK(Mlp({784, 500, 10}).parameter_count() == 397'510);
  CHECK(Mlp({3, 2}).named_parameters().size() == 2);
  CHECK(Mlp({3, 4, 2}, {.bias = false}).parameter_count() == 20);
  Mlp m({7, 5, 3}, {.activation = [](const Tensor& x) { return tanh(x); }, .tensor = kDouble});
  nn::check_parts(m);
  const Tensor x = image({4, 7});
  check_training(m, "mlp", x);
  Mlp dropping({7, 50, 3}, {.dropout = 0.5, .tensor = kDouble});
  CHECK_FALSE(equal(dropping(x), dropping(x)));
  dropping.eval();
  CHECK(equal(dropping(x), dropping.layers[1](relu(dropping.layers[0](x)))));
  CHECK(MESSAGE(ValueError, Mlp({784})) == "Mlp: 1 sizes are given; it needs those of the input and the output at least, as {784, 500, 10}");
}

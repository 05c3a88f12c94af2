// LeNet-5 with 32 and 64 filters, the network of several rows.
#pragma once

#include <rill/rill.h>

namespace bench {

struct LeNet : rill::nn::Module {
  rill::nn::Conv2d c1{1, 32, {.kernel = 5, .padding = 2}}, c2{32, 64, {.kernel = 5, .padding = 2}};
  rill::nn::Linear f1{3136, 512}, f2{512, 10};
  rill::Tensor operator()(const rill::Tensor& x) const {
    rill::Tensor h = max_pool2d(relu(c1(x)), 2);
    h = max_pool2d(relu(c2(h)), 2);
    return f2(relu(f1(h.flatten(1))));
  }
  void parts(rill::nn::Parts& p) override { p("c1", c1)("c2", c2)("f1", f1)("f2", f2); }
};

}  // namespace bench

// A module of two layers, which hooks, paths and profiles are tried on.
#pragma once

#include <rill/nn/linear.h>
#include <rill/ops/elementwise.h>

struct Block : rill::nn::Module {
  rill::nn::Linear first{4, 3}, second{3, 2};
  rill::Tensor operator()(const rill::Tensor& x) const {
    return call(x, [&](const rill::Tensor& x) { return second(relu(first(x))); });
  }
  void parts(rill::nn::Parts& p) override { p("first", first)("second", second); }
};

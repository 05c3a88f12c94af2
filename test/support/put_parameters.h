// Tensors of a golden line as the parameters of a module.
#pragma once

#include "test/support/catch.h"

#include <rill/nn/module.h>

namespace rill {

/// Puts the tensors in the places of the parameters, which must have these names in this order.
inline void put_parameters(nn::Module& m, const std::vector<std::string>& names, std::span<const Tensor> tensors) {
  struct Put final : nn::Parts {
    const std::vector<std::string>& names;
    std::span<const Tensor> tensors;
    std::size_t next = 0;
    Put(const std::vector<std::string>& names, std::span<const Tensor> tensors) : names(names), tensors(tensors) {}
    void parameter(const std::string& path, nn::Parameter& p) override {
      if (!p.defined()) return;
      REQUIRE(next < names.size());
      REQUIRE(path == names[next]);
      REQUIRE(to_string(p.shape()) == to_string(tensors[next].shape()));
      p.reset(tensors[next++]);
    }
  } put(names, tensors);
  m.parts(put);
  REQUIRE(put.next == names.size());
  REQUIRE(put.next == tensors.size());
}

}  // namespace rill

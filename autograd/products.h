// What matrix products and the gradients built from them share.
#pragma once

#include "autograd/record.h"
#include "backends/api/backend.h"

namespace rill {

/// Checks before a product: both defined, one device, one dtype that has products.
void check_product(const char* op, const Tensor& a, const Tensor& b);
/// The recorded product of operands of rank >= 2 with broadcast leading axes.
Tensor product(const char* op, const Tensor& a, const Tensor& b);

}  // namespace rill

// What matrix products and the gradients built from them share.
#pragma once

#include "autograd/record.h"
#include "backends/api/backend.h"

namespace rill {

/// Checks before a product: both defined, one device, one dtype that has products.
void check_product(const char* op, const Tensor& a, const Tensor& b);
/// The recorded product of operands of rank >= 2 with broadcast leading axes.
Tensor product(const char* op, const Tensor& a, const Tensor& b);
/// True where products of its 16-bit dtype with float32 results are faster than those of float32: bfloat16 on processors that multiply it, 16-bit floats
/// on CUDA devices.
bool fast_16bit_products(const Tensor& x);

}  // namespace rill

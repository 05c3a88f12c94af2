#pragma once

#include "backends/api/kernels/linalg.h"

namespace rill::cpu {

/// Does the processor multiply pairs of bfloat16, with the instruction set in use?
bool has_bf16_products();
/// Sets the panels of bfloat16 there. Their products are float32.
void add_bf16_products(LinalgKernels& k);

}  // namespace rill::cpu

// What the kernel files of one instruction set export.
#pragma once

namespace rill {
struct Kernels;
}

namespace rill::cpu::RILL_ARCH {
void fill_unary(Kernels& k);
void fill_binary(Kernels& k);
void fill_cast(Kernels& k);
void fill_reduce(Kernels& k);
}  // namespace rill::cpu::RILL_ARCH

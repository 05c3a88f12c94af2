// What the kernel files of one instruction set export.
#pragma once

namespace rill {
struct ConvKernels;
struct IndexKernels;
struct LinalgKernels;
struct MapKernels;
struct NormKernels;
struct RandomKernels;
struct ReduceKernels;
struct RnnKernels;
struct UpdateKernels;
}  // namespace rill

namespace rill::cpu::RILL_ARCH {
void fill_unary(MapKernels& k);
void fill_binary(MapKernels& k);
void fill_cast(MapKernels& k);
void fill_transpose(MapKernels& k);
void fill_reduce(ReduceKernels& k);
void fill_index(IndexKernels& k);
void fill_linalg(LinalgKernels& k);
void fill_conv(ConvKernels& k);
void fill_conv_gradient(ConvKernels& k);
void fill_norm(NormKernels& k);
void fill_softmax(NormKernels& k);
void fill_random(RandomKernels& k);
void fill_rnn(RnnKernels& k);
void fill_update(UpdateKernels& k);
}  // namespace rill::cpu::RILL_ARCH

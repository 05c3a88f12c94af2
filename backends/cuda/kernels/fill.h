// What the kernel files export.
#pragma once

#include "backends/cuda/kernels/runtime.h"

namespace rill {
struct ConvKernels;
struct IndexKernels;
struct MapKernels;
struct NormKernels;
struct RandomKernels;
struct ReduceKernels;
struct RnnKernels;
struct SortKernels;
struct UpdateKernels;
}

namespace rill::RILL_GPU {
void fill_unary(MapKernels& k);
void fill_unary_grad(MapKernels& k);
void fill_binary(MapKernels& k);
void fill_select(MapKernels& k);
void fill_copy(MapKernels& k);
void fill_ctc(NormKernels& k);
void fill_draw(RandomKernels& k);
void fill_index(IndexKernels& k);
void fill_norm(NormKernels& k);
void fill_order(SortKernels& k);
void fill_random(RandomKernels& k);
void fill_reduce(ReduceKernels& k);
void fill_rnn(RnnKernels& k);
void fill_scan(ReduceKernels& k);
void fill_search(SortKernels& k);
void fill_softmax(NormKernels& k);
void fill_update(UpdateKernels& k);
void fill_window(ConvKernels& k);
/// All of the above.
template <class K> void fill_all(K& k) {
  fill_unary(k), fill_unary_grad(k), fill_binary(k), fill_select(k), fill_copy(k), fill_index(k), fill_norm(k), fill_order(k), fill_random(k), fill_reduce(k);
  fill_scan(k), fill_softmax(k), fill_ctc(k), fill_draw(k), fill_rnn(k), fill_search(k), fill_update(k), fill_window(k);
}
}  // namespace rill::RILL_GPU

#include "backends/cuda/table.h"

#include "backends/api/unimplemented.h"
#define RILL_GPU cuda
#include "backends/cuda/conv.h"
#include "backends/cuda/gemm.h"
#include "backends/cuda/rnn.h"
#include "backends/cuda/solver.h"
#include "backends/cuda/kernels/fill.h"

namespace rill::cuda {

namespace {
struct Name {
  static constexpr const char* text = "cuda";
};
}  // namespace

Kernels make_kernels() {
  Kernels k;
  fill_all(k);
  fill_gemm(k), fill_conv(k), fill_solver(k), fill_whole_rnn(k);
  unimplemented::complete_table<Name>(k);
  return k;
}

}  // namespace rill::cuda

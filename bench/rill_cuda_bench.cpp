// Speed on a CUDA device; scripts/bench --cuda runs it beside PyTorch.
#include "bench/cuda_rows.h"

int main(int argc, char** argv) {
  const bench::Settings s = bench::parse(argc, argv);
  if (!rill::cuda::is_available()) return std::fprintf(stderr, "%s\n", rill::cuda::why_unavailable().c_str()), 1;
  rill::manual_seed(0);
  bench::host(s);
  bench::device_kernels(s, {});
  bench::device_networks(s, {});
  bench::print_peak_memory();
}

// The benchmark of CUDA devices on the emulation: its rows run, in small sizes. What it measures there is nothing.
#include "bench/cuda_rows.h"

#include "test/cuda/backends.h"

TEST_CASE("every row of the benchmark runs, emulated", "[cuda][emulated]") {
  const rill::emulated::Emulation here;
  const bench::DeviceSizes small{.elements = 64, .rows = 4, .columns = 8, .product = 4, .batch = 1, .words = 5, .hidden = 2, .sequences = 1, .image = 75, .images = 2};
  for (const char* row : {"host", "machine", "ew_", "sum", "softmax", "transpose", "matmul", "ptb_lstm"}) {
    const bench::Settings s{.only = row, .budget = 0};
    bench::host(s), bench::device_kernels(s, small), bench::device_networks(s, small);
  }
}

// Sorting with CUB. This file alone has no emulation.
#include <cub/device/device_radix_sort.cuh>

#include "backends/cuda/kernels/launch.h"

namespace rill::cuda {
namespace {
struct CountKernel {
  static constexpr int kThreads = 256;
  std::int64_t n;
  std::int64_t* out;
  RILL_DEVICE void operator()(Team& team) const {
    const std::int64_t i = team.block() * kThreads + team.thread();
    if (i < n) out[i] = i;
  }
};
}  // namespace

void sort_keys(const std::int64_t* keys, std::int64_t n, std::int64_t* sorted, std::int64_t* order) {
  if (n == 0) return;
  const Scratch places(n * static_cast<std::int64_t>(sizeof(std::int64_t)));
  launch(CountKernel{n, places.as<std::int64_t>()}, blocks_for(n, CountKernel::kThreads));
  const auto s = static_cast<cudaStream_t>(stream());
  const auto *from = reinterpret_cast<const std::uint64_t*>(keys), *from_places = reinterpret_cast<const std::uint64_t*>(places.as<std::int64_t>());
  auto *to = reinterpret_cast<std::uint64_t*>(sorted), *to_places = reinterpret_cast<std::uint64_t*>(order);
  std::size_t bytes = 0;
  cub::DeviceRadixSort::SortPairs(nullptr, bytes, from, to, from_places, to_places, n, 0, 64, s);
  const Scratch work(static_cast<std::int64_t>(bytes));
  cub::DeviceRadixSort::SortPairs(work.as<void>(), bytes, from, to, from_places, to_places, n, 0, 64, s);
  launched();
}

}  // namespace rill::cuda

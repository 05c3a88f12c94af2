// What is true in a mask: chunks of it are counted, and every thread finds how many come before its elements.
#pragma once

#include "backends/cuda/kernels/lines.h"

namespace rill::RILL_GPU {

inline constexpr int kMaskItems = 16;  // elements of a thread
inline constexpr std::int64_t kMaskChunk = std::int64_t{kLineThreads} * kMaskItems;

/// How many of the items of a thread are true.
RILL_DEVICE std::int64_t count_items(const unsigned char* mask, std::int64_t n, std::int64_t first) {
  std::int64_t count = 0;
  for (int j = 0; j < kMaskItems; ++j) count += first + j < n && mask[first + j] != 0;
  return count;
}
/// How many are true in each chunk.
struct CountChunks {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    std::int64_t count[kThreads];
  };
  const unsigned char* mask;
  std::int64_t n;
  std::int64_t* counts;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const std::int64_t first = team.block() * kMaskChunk + team.thread() * kMaskItems;
    std::int64_t own = count_items(mask, n, first);
    own = combine_line(team, Lines{1, kThreads}, shared.count, own, [](std::int64_t a, std::int64_t b) { return a + b; });
    if (team.thread() == 0) counts[team.block()] = own;
  }
};
/// counts[i] becomes the sum of what was before it; counts[chunks] the sum of all. One block.
struct PrefixKernel {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    std::int64_t sum[kThreads];
  };
  std::int64_t chunks;
  std::int64_t* counts;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const std::int64_t each = (chunks + kThreads - 1) / kThreads, begin = team.thread() * each, end = begin + each < chunks ? begin + each : chunks;
    std::int64_t own = 0;
    for (std::int64_t i = begin; i < end; ++i) own += counts[i];
    shared.sum[team.thread()] = own;
    team.sync();
    std::int64_t before = 0;
    for (int t = 0; t < team.thread(); ++t) before += shared.sum[t];
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t count = counts[i];
      counts[i] = before, before += count;
    }
    if (team.thread() == kThreads - 1) counts[chunks] = before;
  }
};
/// The starts of the chunks of a mask, and behind them how many are true.
inline void chunk_starts(const unsigned char* mask, std::int64_t n, std::int64_t chunks, std::int64_t* counts) {
  launch(CountChunks{mask, n, counts}, chunks);
  launch(PrefixKernel{chunks, counts}, 1);
}
/// How many before the items of this thread are true; for all threads of a block together.
RILL_DEVICE std::int64_t true_before(Team& team, std::int64_t* shared, const unsigned char* mask, std::int64_t n, std::int64_t first, const std::int64_t* starts) {
  shared[team.thread()] = count_items(mask, n, first);
  team.sync();
  std::int64_t at = starts[team.block()];
  for (int t = 0; t < team.thread(); ++t) at += shared[t];
  return at;
}

}  // namespace rill::RILL_GPU

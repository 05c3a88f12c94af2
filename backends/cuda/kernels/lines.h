// Blocks that work on lines: a block has `lines` lines side by side, `threads` threads for each, and combines what they found as a fixed tree,
// so that results do not depend on anything but the shape.
#pragma once

#include "backends/cuda/kernels/launch.h"

namespace rill::RILL_GPU {

inline constexpr int kLineThreads = 256;

struct Lines {
  int lines = 1, threads = kLineThreads;  // powers of 2 whose product is kLineThreads
  RILL_DEVICE int line(int thread) const { return thread % lines; }
  RILL_DEVICE int place(int thread) const { return thread / lines; }
  /// For lines of n elements: many short ones, or one long one. `side_by_side`: neighbouring lines are neighbours in memory.
  static Lines for_length(std::int64_t n, bool side_by_side) {
    Lines l;
    const int least = side_by_side ? 32 : 1;
    while (l.threads > 1 && (l.lines < least || l.threads / 2 >= n)) l.threads /= 2, l.lines *= 2;
    return l;
  }
};

/// The values of the threads of each line combined: shared[t] holds that of thread t at first. Returned to every thread of the line.
template <class T, class Merge> RILL_DEVICE T combine_line(Team& team, const Lines& l, T* shared, T own, const Merge& merge) {
  const int t = team.thread(), place = l.place(t);
  team.sync();  // the former use of `shared` has ended
  shared[t] = own;
  for (int half = l.threads / 2; half > 0; half /= 2) {
    team.sync();
    if (place < half) shared[t] = merge(shared[t], shared[t + half * l.lines]);
  }
  team.sync();
  return shared[l.line(t)];
}

}  // namespace rill::RILL_GPU

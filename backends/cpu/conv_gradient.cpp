// The gradient of a convolution's weights. dw[o, c, tap] is the sum over output positions p of g[p, o] x[p moved by the tap, c]: for every tap
// a product of two matrices that lie in memory as they are when both tensors are channels-last. Blocks of positions follow each other, so
// every element has one order of additions, however rows, columns and taps are shared out to threads.
#include "backends/cpu/conv_gradient.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/api/backend.h"
#include "backends/cpu/conv_images.h"
#include "backends/cpu/scratch.h"
#include "lib/core/parallel.h"
#include <rill/core/threads.h>

namespace rill::cpu {
namespace {

using Int = std::int64_t;

constexpr Int kPositions = 256;     // of a block: what both operands bring to it stays in the second cache
constexpr Int kColumns = 512;       // channels at a time
constexpr Int kTaskWork = 2 << 20;  // multiply-adds that are worth a thread
constexpr Int kTile = 12, kPanel = 32;

/// The tensor in channels-last order, copied where it is row-major.
class ChannelsLast {
 public:
  explicit ChannelsLast(const View& v) : strides_(v.rank, 0), copy_(v.contiguous && v.sizes[1] > 1 ? v.numel * static_cast<Int>(size_of(v.dtype)) : 0) {
    Int step = 1;
    const auto axis = [&](int a) { strides_[a] = step, step *= v.sizes[a]; };
    axis(1);
    for (int a = v.rank - 1; a > 1; --a) axis(a);
    axis(0);
    data_ = copy_.get() ? copy_.get() : v.data;
    if (copy_.get()) cpu_kernels().copy(v, {data_, v.dtype, v.rank, v.sizes, strides_.data(), v.numel, false});
  }
  const void* data() const { return data_; }

 private:
  Strides strides_;
  Scratch copy_;
  void* data_;
};

/// Parts of [0, size) in units, as even as units allow.
struct Cut {
  Int size, unit, parts;
  Cut(Int size, Int unit, Int wanted) : size(size), unit(unit), parts(std::clamp<Int>(wanted, 1, (size + unit - 1) / unit)) {}
  Int begin(Int part) const { return std::min(size, (size + unit - 1) / unit * part / parts * unit); }
};

Int share(Int wanted, Int have) { return (wanted + have - 1) / have; }

/// Columns in at least so many parts that, with rows in as many as it takes for `wanted` tasks, the fewest channels are read: a is read for every part of
/// the columns, b for every part of the rows.
Cut fewest_reads(Int rows, Int columns, Int wanted) {
  Cut best(columns, kPanel, share(columns, kColumns));
  const auto reads = [&](const Cut& c) { return rows * c.parts + columns * Cut(rows, kTile, share(wanted, c.parts)).parts; };
  for (Int parts = best.parts + 1; parts <= wanted; ++parts)
    if (const Cut c(columns, kPanel, parts); reads(c) < reads(best)) best = c;
  return best;
}

/// Parts of the positions with sums of their own, where those are small beside what is read. Depends on the shape only.
Int segments_of(Int read, Int sums, Int blocks) {
  constexpr Int kLeast = 8, kMost = 16;
  const Int most = std::min({read / kLeast / sums, blocks, kMost});
  return most < kLeast ? 1 : most;
}

template <class T> void add(const void* from, void* to, Int n) {
  for (Int i = 0; i < n; ++i) static_cast<T*>(to)[i] += static_cast<const T*>(from)[i];
}

/// The runs of positions [first, last) of the output that a tap moves to places inside the input.
struct Runs {
  std::vector<Int> x_at, g_at, length;

  void fill(const Images& m, Int tap, Int first, Int last) {
    x_at.clear(), g_at.clear(), length.clear();
    const Int k[3] = {tap / (m.kernel[1] * m.kernel[2]), tap / m.kernel[2] % m.kernel[1], tap % m.kernel[2]}, x_step = m.channels * m.groups, g_step = m.filters * m.groups;
    Int inner[2];
    m.inside(2, k[2], inner[0], inner[1]);
    for (Int p = first; p < last;) {
      const Int line = p / m.out[2], from = std::max(p - line * m.out[2], inner[0]), to = std::min(last - line * m.out[2], inner[1]);
      p = std::min(last, (line + 1) * m.out[2]);
      const Int n = line / (m.out[0] * m.out[1]), i = line / m.out[1] % m.out[0] * m.stride[0] + k[0] * m.dilation[0] - m.before[0],
                j = line % m.out[1] * m.stride[1] + k[1] * m.dilation[1] - m.before[1];
      if (from >= to || i < 0 || i >= m.in[0] || j < 0 || j >= m.in[1]) continue;
      const Int x = (((n * m.in[0] + i) * m.in[1] + j) * m.in[2] + from * m.stride[2] + k[2] * m.dilation[2] - m.before[2]) * x_step, g = (line * m.out[2] + from) * g_step;
      if (!length.empty() && m.stride[2] == 1 && x == x_at.back() + length.back() * x_step && g == g_at.back() + length.back() * g_step) length.back() += to - from;
      else x_at.push_back(x), g_at.push_back(g), length.push_back(to - from);
    }
  }
};

}  // namespace

void conv_weight_gradient(const View& g, const View& x, const View& dw, const WindowGeometry& geometry) {
  const Images m(x, g, geometry);
  const PositionProductsFn products = cpu_kernels().position_products[static_cast<std::size_t>(dw.dtype)];
  const ChannelsLast inputs(x), outputs(g);
  // Registers hold neighbouring channels of one side; few input channels leave them to the filters.
  const bool turned = m.channels < kPanel / 2 && m.filters > m.channels;
  const Int rows = turned ? m.channels : m.filters, columns = turned ? m.filters : m.channels;
  const bool direct = m.taps == 1 && !turned;
  const Int positions = m.n * m.positions, blocks = share(positions, kPositions), work = positions * rows * columns * m.taps * m.groups;
  const Int segments = segments_of(g.numel + x.numel, dw.numel, blocks), bytes = dw.numel * m.element;
  const Scratch memory((segments - direct) * bytes);
  // [segments, groups, taps, rows, columns], the first one in dw itself when that is its layout
  const auto sums = [&](Int segment) { return segment < direct ? static_cast<char*>(dw.data) : static_cast<char*>(memory.get()) + (segment - direct) * bytes; };

  const Int wanted = share(std::min<Int>(2 * num_threads(), share(work, kTaskWork)), segments * m.groups);
  const Cut wide = fewest_reads(rows, columns, wanted), high(rows, kTile, share(wanted, wide.parts)), taps(m.taps, 1, share(wanted, wide.parts * high.parts));
  parallel_for(segments * m.groups * wide.parts * high.parts * taps.parts, 1, [&](Int begin, Int end) {
    Runs runs;
    for (Int task = begin; task < end; ++task) {
      Int rest = task;
      const auto next = [&](Int parts) { return std::exchange(rest, rest / parts) % parts; };
      const Int tap_part = next(taps.parts), high_part = next(high.parts), wide_part = next(wide.parts), group = next(m.groups), segment = rest;
      const Int i = high.begin(high_part), j = wide.begin(wide_part), last_tap = taps.begin(tap_part + 1);
      const void* from_x = static_cast<const char*>(inputs.data()) + (group * m.channels + (turned ? i : j)) * m.element;
      const void* from_g = static_cast<const char*>(outputs.data()) + (group * m.filters + (turned ? j : i)) * m.element;
      const Int x_step = m.channels * m.groups * m.stride[2], g_step = m.filters * m.groups, first_block = blocks * segment / segments;
      for (Int block = first_block; block < blocks * (segment + 1) / segments; ++block)
        for (Int tap = taps.begin(tap_part); tap < last_tap; ++tap) {
          runs.fill(m, tap, block * kPositions, std::min(positions, (block + 1) * kPositions));
          products({.a = turned ? from_x : from_g, .b = turned ? from_g : from_x, .a_at = (turned ? runs.x_at : runs.g_at).data(), .b_at = (turned ? runs.g_at : runs.x_at).data(),
                    .length = runs.length.data(), .runs = static_cast<Int>(runs.length.size()), .a_step = turned ? x_step : g_step, .b_step = turned ? g_step : x_step,
                    .rows = high.begin(high_part + 1) - i, .columns = wide.begin(wide_part + 1) - j, .sum = sums(segment) + (((group * m.taps + tap) * rows + i) * columns + j) * m.element,
                    .sum_row = columns, .accumulate = block > first_block});
        }
    }
  });
  for (Int segment = 1; segment < segments; ++segment) m.element == 4 ? add<float>(sums(segment), sums(0), dw.numel) : add<double>(sums(segment), sums(0), dw.numel);
  if (direct) return;
  // [groups, taps, rows, columns] -> [groups, filters, channels, taps]
  const Int sizes[] = {m.groups, m.filters, m.channels, m.taps}, area = rows * columns;
  const Int from[] = {m.taps * area, turned ? 1 : columns, turned ? columns : 1, area}, to[] = {m.taps * area, m.channels * m.taps, m.taps, 1};
  cpu_kernels().copy({sums(0), dw.dtype, 4, sizes, from, dw.numel, false}, {dw.data, dw.dtype, 4, sizes, to, dw.numel, true});
}

}  // namespace rill::cpu

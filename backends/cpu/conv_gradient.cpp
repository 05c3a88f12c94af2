// The gradient of a convolution's weights. dw[o, c, tap] is the sum over output positions p of g[p, o] x[p moved by the tap, c]: for every tap
// a product of two matrices that lie in memory as they are when both tensors are channels-last. Blocks of positions follow each other, so
// every element has one order of additions, however rows, columns and taps are shared out to threads.
#include "backends/cpu/conv_gradient.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
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

/// x with its padding, in channels-last order: a line of the kernel sees adjacent values everywhere, as if they were the channels of one tap.
class Padded {
 public:
  Padded(const View& x, const Images& m) : memory_(m.n * area(m) * m.channels * m.element) {
    std::memset(memory_.get(), 0, static_cast<std::size_t>(m.n * area(m) * m.channels * m.element));
    Int sizes[5] = {m.n, m.channels}, from[5] = {m.x_image, m.x_channel}, to[5] = {area(m) * m.channels, 1}, step = m.channels, start = 0, count = m.n * m.channels;
    for (int a = 2; a >= 0; --a) {
      sizes[2 + a] = std::min(m.in[a], extent(m, a) - m.before[a]), from[2 + a] = m.in_stride[a], to[2 + a] = step, count *= sizes[2 + a];
      start += m.before[a] * step, step *= extent(m, a);
    }
    cpu_kernels().copy({x.data, x.dtype, 5, sizes, from, count, false}, {static_cast<char*>(memory_.get()) + start * m.element, x.dtype, 5, sizes, to, count, false});
  }
  const void* data() const { return memory_.get(); }
  /// The convolution that reads it.
  static Images images(Images m) {
    for (int a = 0; a < 3; ++a) m.in[a] = extent(m, a);
    std::fill_n(m.before, 3, Int{0});
    m.channels *= m.kernel[2], m.taps /= m.kernel[2], m.kernel[2] = 1;
    return m;
  }

 private:
  static Int extent(const Images& m, int a) { return m.stride[a] * (m.out[a] - 1) + m.dilation[a] * (m.kernel[a] - 1) + 1; }
  static Int area(const Images& m) { return extent(m, 0) * extent(m, 1) * extent(m, 2); }
  Scratch memory_;
};

/// The runs of positions [first, last) of the output that a tap moves to places inside the input.
struct Runs {
  std::vector<Int> x_at, g_at, length;

  void fill(const Images& m, Int x_step, Int tap, Int first, Int last) {
    x_at.clear(), g_at.clear(), length.clear();
    const Int k[3] = {tap / (m.kernel[1] * m.kernel[2]), tap / m.kernel[2] % m.kernel[1], tap % m.kernel[2]}, g_step = m.filters * m.groups;
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
  const Images given(x, g, geometry);
  const PositionProductsFn products = cpu_kernels().position_products[static_cast<std::size_t>(dw.dtype)];
  // Registers hold neighbouring channels of one side; few input channels leave them to the filters, and lines of the kernel join them.
  const bool turned = given.channels < kPanel / 2 && given.filters > given.channels, lines = turned && given.groups == 1 && given.kernel[2] > 1 && given.dilation[2] == 1;
  std::optional<Padded> padded;
  std::optional<ChannelsLast> whole;
  const void* const inputs = lines ? padded.emplace(x, given).data() : whole.emplace(x).data();
  const ChannelsLast outputs(g);
  const Images m = lines ? Padded::images(given) : given;
  const Int rows = turned ? m.channels : m.filters, columns = turned ? m.filters : m.channels, x_channels = given.channels * given.groups;
  const bool direct = m.taps == 1 && !turned;
  const Int positions = m.n * m.positions, blocks = share(positions, kPositions), work = positions * rows * columns * m.taps * m.groups;
  const Int segments = segments_of(g.numel + x.numel, dw.numel, blocks), bytes = dw.numel * m.element;
  const Scratch memory((segments - direct) * bytes);
  // [segments, groups, taps, rows, columns], the first one in dw itself when that is its layout
  const auto sums = [&](Int segment) { return segment < direct ? static_cast<char*>(dw.data) : static_cast<char*>(memory.get()) + (segment - direct) * bytes; };

  const Int wanted = share(std::min<Int>(2 * num_threads(), share(work, kTaskWork)), segments * m.groups);
  const Cut wide = fewest_reads(rows, columns, wanted);
  // several taps take what does not cut the rows into equal parts
  const Int high_parts = share(wanted, wide.parts), even = std::gcd(share(rows, kTile), high_parts);
  const Cut high(rows, kTile, m.taps >= 4 * high_parts ? even : high_parts), taps(m.taps, 1, share(wanted, wide.parts * high.parts));
  parallel_tasks(segments * m.groups * wide.parts * high.parts * taps.parts, [&](Int begin, Int end) {
    Runs runs;
    for (Int task = begin; task < end; ++task) {
      Int rest = task;
      const auto next = [&](Int parts) { return std::exchange(rest, rest / parts) % parts; };
      const Int tap_part = next(taps.parts), high_part = next(high.parts), wide_part = next(wide.parts), group = next(m.groups), segment = rest;
      const Int i = high.begin(high_part), j = wide.begin(wide_part), last_tap = taps.begin(tap_part + 1);
      const void* from_x = static_cast<const char*>(inputs) + (group * m.channels + (turned ? i : j)) * m.element;
      const void* from_g = static_cast<const char*>(outputs.data()) + (group * m.filters + (turned ? j : i)) * m.element;
      const Int x_step = x_channels * m.stride[2], g_step = m.filters * m.groups, first_block = blocks * segment / segments;
      for (Int block = first_block; block < blocks * (segment + 1) / segments; ++block)
        for (Int tap = taps.begin(tap_part); tap < last_tap; ++tap) {
          runs.fill(m, x_channels, tap, block * kPositions, std::min(positions, (block + 1) * kPositions));
          products({.a = turned ? from_x : from_g, .b = turned ? from_g : from_x, .a_at = (turned ? runs.x_at : runs.g_at).data(), .b_at = (turned ? runs.g_at : runs.x_at).data(),
                    .length = runs.length.data(), .runs = static_cast<Int>(runs.length.size()), .a_step = turned ? x_step : g_step, .b_step = turned ? g_step : x_step,
                    .rows = high.begin(high_part + 1) - i, .columns = wide.begin(wide_part + 1) - j, .sum = sums(segment) + (((group * m.taps + tap) * rows + i) * columns + j) * m.element,
                    .sum_row = columns, .accumulate = block > first_block});
        }
    }
  });
  for (Int segment = 1; segment < segments; ++segment) m.element == 4 ? add<float>(sums(segment), sums(0), dw.numel) : add<double>(sums(segment), sums(0), dw.numel);
  if (direct) return;
  // [groups, taps, taps of a line, rows, columns] -> [groups, filters, channels, taps, taps of a line]
  const Int line = m.channels / given.channels, one = turned ? columns : 1, area = rows * columns;
  const Int sizes[] = {m.groups, m.filters, given.channels, m.taps, line}, from[] = {m.taps * area, turned ? 1 : columns, one, area, given.channels * one};
  const Int to[] = {m.filters * given.channels * given.taps, given.channels * given.taps, given.taps, line, 1};
  cpu_kernels().copy({sums(0), dw.dtype, 5, sizes, from, dw.numel, false}, {dw.data, dw.dtype, 5, sizes, to, dw.numel, true});
}

}  // namespace rill::cpu

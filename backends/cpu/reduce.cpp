// Reductions over any strides: the work is cut into pieces of fixed size, so that sums do not depend on the thread count, and
// partial results are combined in order.
#include "backends/cpu/reduce.h"

#include <algorithm>
#include <vector>

#include "backends/api/backend.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kColumns = 1024;    // accumulators of one task
constexpr std::int64_t kPiece = 32 << 10;  // elements of one task
constexpr std::int64_t kAccumulator = 8;   // bytes

struct Axis { std::int64_t size, from, to; };  // strides in elements; `to` is 0 for reduced axes

/// Axes without those of size 1, outermost first by the input's strides, merged where possible.
class Axes {
 public:
  void add(Axis a) {
    if (a.size == 1) return;
    int at = count_++;
    for (; at > 0 && list_[at - 1].from < a.from; --at) list_[at] = list_[at - 1];
    list_[at] = a;
  }
  void merge() {
    if (count_ == 0) return;
    int last = 0;
    for (int i = 1; i < count_; ++i) {
      const Axis a = list_[i];
      Axis& l = list_[last];
      if (l.from == a.from * a.size && l.to == a.to * a.size) l = {l.size * a.size, a.from, a.to};
      else list_[++last] = a;
    }
    count_ = last + 1;
  }
  /// Takes the innermost axis out; a single place when there is none.
  Axis take_inner() { return count_ ? list_[--count_] : Axis{1, 1, 1}; }
  Axis inner() const { return count_ ? list_[count_ - 1] : Axis{1, 1, 1}; }
  std::int64_t size() const {
    std::int64_t n = 1;
    for (int i = 0; i < count_; ++i) n *= list_[i].size;
    return n;
  }
  /// Offsets of place i.
  void offsets(std::int64_t i, std::int64_t& from, std::int64_t& to) const {
    for (int a = count_ - 1; a >= 0; --a) {
      const std::int64_t k = i % list_[a].size;
      i /= list_[a].size;
      from += k * list_[a].from, to += k * list_[a].to;
    }
  }

 private:
  Axis list_[kMaxRank];
  int count_ = 0;
};

struct alignas(64) Accumulators { char bytes[kColumns * kAccumulator]; };

void reduce(Reduce what, const View& x, std::uint64_t mask, double divisor, const View& out) {
  if (out.numel == 0) return;
  const ReduceSteps& steps = cpu_kernels().steps[static_cast<int>(what)][static_cast<int>(x.dtype)];
  if (x.contiguous && out.numel == 1 && x.numel <= kPiece) {  // small and whole
    alignas(8) char acc[kAccumulator];
    steps.start(acc, 1);
    if (x.numel) steps.accumulate(x.data, x.numel, 1, 1, acc);
    return steps.finish(acc, out.data, 1, 1, divisor);
  }
  Axes kept, reduced;
  std::int64_t to = 1;
  for (int a = x.rank - 1; a >= 0; --a) {
    const bool gone = mask >> a & 1;
    (gone ? reduced : kept).add({x.sizes[a], x.strides[a], gone ? 0 : to});
    if (!gone) to *= x.sizes[a];
  }
  kept.merge(), reduced.merge();

  // Columns when the innermost axis stays and is contiguous, rows or single elements otherwise.
  const bool columns = kept.inner().from == 1 && kept.size() > 1;
  const Axis across = columns ? kept.take_inner() : Axis{1, 1, 1};
  const Axis along = x.numel == 0 ? Axis{0, 1, 0} : reduced.take_inner();
  const std::int64_t blocks = (across.size + kColumns - 1) / kColumns;
  const std::int64_t length = std::min(along.size, std::max<std::int64_t>(8, kPiece / std::min(across.size, kColumns)));
  const std::int64_t cuts = length ? (along.size + length - 1) / length : 0;
  const std::int64_t units = cuts * reduced.size();  // one call of `accumulate` each
  const std::int64_t unit_size = std::max<std::int64_t>(1, length * std::min(across.size, kColumns));
  const std::int64_t per_piece = std::max<std::int64_t>(1, kPiece / unit_size);
  const std::int64_t pieces = std::max<std::int64_t>(1, (units + per_piece - 1) / per_piece);
  const auto size = static_cast<std::int64_t>(size_of(x.dtype)), out_size = static_cast<std::int64_t>(size_of(out.dtype));
  const std::int64_t tasks = kept.size() * blocks * pieces;
  const std::int64_t task_size = std::max<std::int64_t>(1, std::min(units, per_piece) * unit_size);
  const std::int64_t slot = std::min(across.size, kColumns);
  std::vector<char> partial(pieces > 1 ? static_cast<std::size_t>(tasks * slot * kAccumulator) : 0);

  auto finish = [&](std::int64_t place, const void* acc) {
    std::int64_t from = 0, at = 0;
    kept.offsets(place / blocks, from, at);
    const std::int64_t column = place % blocks * kColumns;
    steps.finish(acc, static_cast<char*>(out.data) + (at + column * across.to) * out_size, across.to, std::min(kColumns, across.size - column), divisor);
  };
  parallel_for(tasks, std::max<std::int64_t>(1, kPiece / task_size), [&](std::int64_t begin, std::int64_t end) {
    Accumulators own;
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t place = t / pieces, piece = t % pieces;
      const std::int64_t column = place % blocks * kColumns, width = std::min(kColumns, across.size - column);
      char* acc = pieces > 1 ? partial.data() + t * slot * kAccumulator : own.bytes;
      steps.start(acc, width);
      std::int64_t base = column, ignored = 0;
      kept.offsets(place / blocks, base, ignored);
      for (std::int64_t u = piece * per_piece; u < std::min(units, (piece + 1) * per_piece); ++u) {
        const std::int64_t first = u % cuts * length;
        std::int64_t at = base + first * along.from;
        reduced.offsets(u / cuts, at, ignored);
        steps.accumulate(static_cast<const char*>(x.data) + at * size, std::min(length, along.size - first), along.from, width, acc);
      }
      if (pieces == 1) finish(place, acc);
    }
  });
  if (pieces == 1) return;
  for (std::int64_t place = 0; place < tasks / pieces; ++place) {
    char* acc = partial.data() + place * pieces * slot * kAccumulator;
    const std::int64_t width = std::min(kColumns, across.size - place % blocks * kColumns);
    for (std::int64_t p = 1; p < pieces; ++p) steps.combine(acc, acc + p * slot * kAccumulator, width);
    finish(place, acc);
  }
}

template <class T> void arg_rows(bool largest, const View& x, std::int64_t n, const View& values, const View& indices) {
  const ReduceSteps& steps = cpu_kernels().steps[static_cast<int>(largest ? Reduce::max : Reduce::min)][static_cast<int>(x.dtype)];
  parallel_for(indices.numel, std::max<std::int64_t>(1, kPiece / n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* row = x.as<const T>() + r * n;
      alignas(8) T best[kAccumulator / sizeof(T)];
      steps.start(best, 1);
      steps.accumulate(row, n, 1, 1, best);
      std::int64_t i = 0;
      if (best[0] == best[0]) while (row[i] != best[0]) ++i;
      else while (row[i] == row[i]) ++i;
      indices.as<std::int64_t>()[r] = i;
      if (values.data) values.as<T>()[r] = best[0];
    }
  });
}

void arg_extreme(bool largest, const View& x, std::int64_t n, const View& values, const View& indices) {
  switch (x.dtype) {
    case Dtype::float32: return arg_rows<float>(largest, x, n, values, indices);
    case Dtype::float64: return arg_rows<double>(largest, x, n, values, indices);
    case Dtype::int64: return arg_rows<std::int64_t>(largest, x, n, values, indices);
    case Dtype::int32: return arg_rows<std::int32_t>(largest, x, n, values, indices);
    case Dtype::int16: return arg_rows<std::int16_t>(largest, x, n, values, indices);
    case Dtype::int8: return arg_rows<std::int8_t>(largest, x, n, values, indices);
    case Dtype::uint8: return arg_rows<std::uint8_t>(largest, x, n, values, indices);
    default: return arg_rows<bool>(largest, x, n, values, indices);
  }
}

}  // namespace

void add_reduce(ReduceKernels& k) {
  k.reduce = &reduce;
  k.arg_extreme = &arg_extreme;
  add_scan(k);
}

}  // namespace rill::cpu

// Searching in sorted rows, the order of whole rows, and runs of equal rows.
#include "backends/api/kernels/sort.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/keys.h"
#include "backends/cuda/kernels/mask.h"

namespace rill::RILL_GPU {
namespace {

using Int = std::int64_t;
constexpr int kSearchThreads = 256;

struct SearchKernel {
  static constexpr int kThreads = kSearchThreads;
  const char *sorted, *values;
  Dtype dtype;
  int size;  // of an element
  bool right;
  Int count, m, n, row_step;  // row_step: elements from one sorted row to the next, 0 for a shared one
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= count) return;
    const std::uint64_t value = key_at(values + i * size, dtype);
    const char* row = sorted + i / m * row_step * size;
    Int low = 0, high = n;
    while (low < high) {
      const Int middle = low + (high - low) / 2;
      const std::uint64_t key = key_at(row + middle * size, dtype);
      if (right ? key <= value : key < value) low = middle + 1;
      else high = middle;
    }
    out[i] = low;
  }
};
void search(const View& sorted, const View& values, bool right, const View& out) {
  const Int n = sorted.sizes[1];
  launch(SearchKernel{static_cast<const char*>(sorted.data), static_cast<const char*>(values.data), sorted.dtype, static_cast<int>(size_of(sorted.dtype)), right, out.numel, values.sizes[1], n,
                      sorted.sizes[0] == 1 ? 0 : n, out.as<Int>()}, blocks_for(out.numel, kSearchThreads));
}

// ---- whole rows -------------------------------------------------------------------------------------------------------------------

struct ColumnKeys {  // of the rows in the order so far
  static constexpr int kThreads = kSearchThreads;
  const char* column;
  Dtype dtype;
  Int n, step;  // step: bytes from one row to the next
  const Int* order;
  Int* keys;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) keys[i] = static_cast<Int>(key_at(column + order[i] * step, dtype));
  }
};
struct CountUp {
  static constexpr int kThreads = kSearchThreads;
  Int n;
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) out[i] = i;
  }
};
struct Compose {  // out[i] = order[places[i]]
  static constexpr int kThreads = kSearchThreads;
  Int n;
  const Int *order, *places;
  Int* out;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i < n) out[i] = order[places[i]];
  }
};
/// A stable sort by each column, the last one first.
void sort_rows(const View& x, const View& order) {
  const Int n = x.sizes[0], width = x.sizes[1], size = static_cast<Int>(size_of(x.dtype)), bytes = n * static_cast<Int>(sizeof(Int)), blocks = blocks_for(n, kSearchThreads);
  const Scratch keys(bytes), sorted(bytes), places(bytes), before(bytes);
  launch(CountUp{n, order.as<Int>()}, blocks);
  for (Int j = width - 1; j >= 0; --j) {
    launch(ColumnKeys{static_cast<const char*>(x.data) + j * size, x.dtype, n, width * size, order.as<const Int>(), keys.as<Int>()}, blocks);
    sort_keys(keys.as<const Int>(), n, sorted.as<Int>(), places.as<Int>());
    if (n > 0) copy_on_device(before.as<void>(), order.data, bytes);
    launch(Compose{n, before.as<const Int>(), places.as<const Int>(), order.as<Int>()}, blocks);
  }
}

// ---- runs -------------------------------------------------------------------------------------------------------------------------

struct DiffersKernel {  // a row that differs from the one before it begins a run
  static constexpr int kThreads = kSearchThreads;
  const char* x;
  Dtype dtype;
  Int n, width;
  const Int* order;
  unsigned char* begins;
  RILL_DEVICE void operator()(Team& team) const {
    const Int i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    begins[i] = i == 0 || by_dtype(dtype, [&](auto type) {
      using T = typename decltype(type)::type;
      const T *own = reinterpret_cast<const T*>(x) + order[i] * width, *last = reinterpret_cast<const T*>(x) + order[i - 1] * width;
      for (Int j = 0; j < width; ++j)
        if (!equal(own[j], last[j])) return true;
      return false;
    });
  }
  template <class T> RILL_DEVICE static bool equal(T a, T b) {
    if constexpr (std::is_class_v<T>) return static_cast<float>(a) == static_cast<float>(b);
    else return a == b;
  }
};
struct RunsKernel {
  static constexpr int kThreads = kLineThreads;
  struct Shared {
    Int count[kThreads];
  };
  const unsigned char* begins;
  Int n;
  const Int *chunks, *order;
  Int *starts, *run_of;
  RILL_DEVICE void operator()(Team& team, Shared& shared) const {
    const Int first = team.block() * kMaskChunk + team.thread() * kMaskItems;
    Int run = true_before(team, shared.count, begins, n, first, chunks);
    for (int j = 0; j < kMaskItems && first + j < n; ++j) {
      if (begins[first + j] != 0) starts[run++] = first + j;
      run_of[order[first + j]] = run - 1;
    }
  }
};
Int runs(const View& x, const View& order, const View& starts, const View& run_of) {
  const Int n = x.sizes[0], width = x.sizes[1];
  if (n == 0) return 0;
  const Int chunks = blocks_for(n, kMaskChunk);
  const Scratch begins(n), counts((chunks + 1) * static_cast<Int>(sizeof(Int)));
  launch(DiffersKernel{static_cast<const char*>(x.data), x.dtype, n, width, order.as<const Int>(), begins.as<unsigned char>()}, blocks_for(n, kSearchThreads));
  chunk_starts(begins.as<const unsigned char>(), n, chunks, counts.as<Int>());
  launch(RunsKernel{begins.as<const unsigned char>(), n, counts.as<const Int>(), order.as<const Int>(), starts.as<Int>(), run_of.as<Int>()}, chunks);
  Int found = 0;
  copy_to_host(&found, counts.as<Int>() + chunks, sizeof found);
  return found;
}

}  // namespace

void fill_search(SortKernels& k) {
  k.search = &search;
  k.sort_rows = &sort_rows;
  k.runs = &runs;
}

}  // namespace rill::RILL_GPU

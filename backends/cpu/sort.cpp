// Sorting on the CPU. An element becomes an unsigned key with the same order (its bits, with the sign treated and every NaN the largest), so
// one radix sort per element size serves all dtypes. Threads own whole rows.
#include "backends/cpu/sort.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <rill/core/shape.h>

#include "backends/cpu/dtype_switch.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kGrain = 16 << 10;  // elements per task

// ---- keys ------------------------------------------------------------------------------------------------------------------------

/// How the bits of a dtype turn into a key of the same order.
template <class U> struct KeyFormat {
  enum { plain, integer, floating } kind;
  U infinity;  // the bits of +inf; greater magnitudes are NaN
  static constexpr U kSign = static_cast<U>(U{1} << (sizeof(U) * 8 - 1));

  explicit KeyFormat(Dtype d) : kind(is_floating(d) ? floating : is_integral(d) && d != Dtype::uint8 ? integer : plain), infinity(0) {
    constexpr std::uint64_t bits[] = {0x7c00, 0x7f80, 0x7f800000, 0x7ff0000000000000};
    if (kind == floating) infinity = static_cast<U>(bits[static_cast<int>(d) - static_cast<int>(Dtype::float16)]);
  }
  U operator()(U u) const {
    if (kind == plain) return u;
    if (kind == integer) return u ^ kSign;
    const U magnitude = u & static_cast<U>(~kSign);
    if (magnitude > infinity) return static_cast<U>(~U{0});
    if (magnitude == 0) return kSign;
    return u & kSign ? static_cast<U>(~u) : static_cast<U>(u | kSign);
  }
  bool is_nan(U key) const { return kind == floating && key == static_cast<U>(~U{0}); }
};

template <class U> struct Item {
  U key;
  std::conditional_t<sizeof(U) == 8, std::uint64_t, std::uint32_t> at;
};
template <class U> bool key_less(const Item<U>& a, const Item<U>& b) { return a.key < b.key; }
/// A total order: of equal keys the first comes first.
template <class U> bool item_less(const Item<U>& a, const Item<U>& b) { return a.key < b.key || (a.key == b.key && a.at < b.at); }

/// Least significant digit first, a byte at a time; passes over a byte that all keys share are skipped.
template <class U> void radix_sort(std::vector<Item<U>>& items, std::vector<Item<U>>& scratch) {
  constexpr int kPasses = sizeof(U);
  std::vector<std::size_t> count(kPasses * 256);
  for (const auto& i : items)
    for (int p = 0; p < kPasses; ++p) ++count[static_cast<std::size_t>(p * 256) + ((i.key >> (8 * p)) & 255)];
  scratch.resize(items.size());
  for (int p = 0; p < kPasses; ++p) {
    std::size_t* c = count.data() + p * 256;
    if (c[(items[0].key >> (8 * p)) & 255] == items.size()) continue;
    std::size_t sum = 0;
    for (int d = 0; d < 256; ++d) sum += std::exchange(c[d], sum);
    for (const auto& i : items) scratch[c[(i.key >> (8 * p)) & 255]++] = i;
    items.swap(scratch);
  }
}

template <class U> void sort_items(std::vector<Item<U>>& items, std::vector<Item<U>>& scratch) {
  if (items.size() < 2) return;
  if (items.size() < 64 * sizeof(U)) std::sort(items.begin(), items.end(), item_less<U>);  // total, so stable
  else radix_sort(items, scratch);
}
/// The first k in order, the rest behind them in any order.
template <class U> void sort_first(std::vector<Item<U>>& items, std::size_t k, std::vector<Item<U>>& scratch) {
  if (k * 8 > items.size()) return sort_items(items, scratch);
  if (k == 0) return;
  const auto middle = items.begin() + static_cast<std::ptrdiff_t>(k);
  std::nth_element(items.begin(), middle - 1, items.end(), item_less<U>);
  std::sort(items.begin(), middle, item_less<U>);
}

// ---- rows ------------------------------------------------------------------------------------------------------------------------

/// The rows of x along an axis: row r = outer * inner + i starts at start(r); in a contiguous output whose axis has m elements it starts at
/// outer * m * inner + i and steps by inner.
struct Rows {
  const View& x;
  int axis;
  std::int64_t n = 1, step = 0, outer = 1, inner = 1;

  Rows(const View& x, int axis) : x(x), axis(axis) {
    if (x.rank == 0) return;
    n = x.sizes[axis], step = x.strides[axis];
    for (int a = 0; a < axis; ++a) outer *= x.sizes[a];
    for (int a = axis + 1; a < x.rank; ++a) inner *= x.sizes[a];
  }
  std::int64_t count() const { return outer * inner; }
  std::int64_t start(std::int64_t row) const {  // in elements
    std::int64_t offset = 0;
    for (int a = x.rank - 1; a >= 0; --a) {
      if (a == axis) continue;
      offset += row % x.sizes[a] * x.strides[a];
      row /= x.sizes[a];
    }
    return offset;
  }
  std::int64_t out_start(std::int64_t row, std::int64_t m) const { return row / inner * m * inner + row % inner; }
  std::int64_t grain() const { return std::max<std::int64_t>(kGrain / 8 / std::max<std::int64_t>(n, 1), 1); }
};

template <class U> void load(const Rows& rows, std::int64_t row, const KeyFormat<U>& key, U flip, std::vector<Item<U>>& items) {
  const U* p = rows.x.as<U>() + rows.start(row);
  using At = decltype(Item<U>::at);
  items.resize(static_cast<std::size_t>(rows.n));
  for (std::int64_t i = 0; i < rows.n; ++i) items[static_cast<std::size_t>(i)] = {static_cast<U>(key(p[i * rows.step]) ^ flip), static_cast<At>(i)};
}

/// Calls f with a value of the unsigned type as large as an element.
template <class F> void by_size(Dtype d, F f) {
  switch (size_of(d)) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

template <class U> void sort_as(const View& x, int axis, bool descending, const View& values, const View& indices) {
  const Rows rows(x, axis);
  const KeyFormat<U> key(x.dtype);
  const U flip = descending ? static_cast<U>(~U{0}) : U{0};  // reversed keys keep the order of equal elements
  const std::int64_t m = x.rank ? values.sizes[axis] : 1, inner = rows.inner;
  parallel_for(rows.count(), rows.grain(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<Item<U>> items, scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      load(rows, row, key, flip, items);
      sort_first(items, static_cast<std::size_t>(m), scratch);
      const U* from = x.as<U>() + rows.start(row);
      U* value = values.as<U>() + rows.out_start(row, m);
      std::int64_t* index = indices.as<std::int64_t>() + rows.out_start(row, m);
      for (std::int64_t i = 0; i < m; ++i) {
        const auto at = static_cast<std::int64_t>(items[static_cast<std::size_t>(i)].at);
        value[i * inner] = from[at * rows.step];
        index[i * inner] = at;
      }
    }
  });
}
void sort(const View& x, int axis, bool descending, const View& values, const View& indices) {
  if (values.numel == 0) return;
  by_size(x.dtype, [&](auto u) { sort_as<decltype(u)>(x, axis, descending, values, indices); });
}

// ---- order statistics --------------------------------------------------------------------------------------------------------------

template <class U> std::int64_t mode_of(std::vector<Item<U>>& items, std::vector<Item<U>>& scratch) {
  sort_items(items, scratch);
  std::size_t best = 0, best_run = 0;
  for (std::size_t i = 0, j; i < items.size(); i = j) {
    for (j = i; j < items.size() && items[j].key == items[i].key; ++j) {}
    if (j - i > best_run) best_run = j - i, best = j - 1;
  }
  return static_cast<std::int64_t>(items[best].at);
}

template <class U> std::int64_t statistic(std::vector<Item<U>>& items, const KeyFormat<U>& key, Order order, std::int64_t k, std::vector<Item<U>>& scratch) {
  if (order == Order::mode) return mode_of(items, scratch);
  const auto n = static_cast<std::int64_t>(items.size());
  if (order != Order::kth) {
    std::int64_t nans = 0, first = -1;
    for (std::int64_t i = n - 1; i >= 0; --i)
      if (key.is_nan(items[static_cast<std::size_t>(i)].key)) ++nans, first = i;
    if (nans > 0 && (order == Order::median || nans == n)) return first;
    k = (n - nans - 1) / 2;  // NaN stands behind all others
  }
  std::nth_element(items.begin(), items.begin() + k, items.end(), item_less<U>);
  return static_cast<std::int64_t>(items[static_cast<std::size_t>(k)].at);
}

template <class U> void order_statistic_as(const View& x, int axis, Order order, std::int64_t k, const View& indices) {
  const Rows rows(x, axis);
  const KeyFormat<U> key(x.dtype);
  parallel_for(rows.count(), rows.grain(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<Item<U>> items, scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      load(rows, row, key, U{0}, items);
      indices.as<std::int64_t>()[row] = statistic(items, key, order, k, scratch);
    }
  });
}
void order_statistic(const View& x, int axis, Order order, std::int64_t k, const View& indices) {
  if (indices.numel == 0) return;
  by_size(x.dtype, [&](auto u) { order_statistic_as<decltype(u)>(x, axis, order, k, indices); });
}

// ---- searching -------------------------------------------------------------------------------------------------------------------

/// What a value is compared as.
template <class T> auto wide(T v) {
  if constexpr (std::is_arithmetic_v<T>) return v;
  else return static_cast<float>(v);
}

/// The order of sort: NaN behind everything.
template <class V> bool before(V a, V b) {
  if constexpr (std::is_floating_point_v<V>) return a < b || (b != b && a == a);
  else return a < b;
}

template <class T> std::int64_t insertion_point(const T* sorted, std::int64_t n, T value, bool right) {
  std::int64_t low = 0, high = n;
  const auto v = wide(value);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const auto s = wide(sorted[middle]);
    if (right ? !before(v, s) : before(s, v)) low = middle + 1;
    else high = middle;
  }
  return low;
}

void search(const View& sorted, const View& values, bool right, const View& out) {
  const std::int64_t n = sorted.sizes[1], m = values.sizes[1];
  const bool shared = sorted.sizes[0] == 1;
  by_dtype(sorted.dtype, [&](auto t) {
    using T = decltype(t);
    parallel_for(out.numel, kGrain / 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        out.as<std::int64_t>()[i] = insertion_point(sorted.as<T>() + (shared ? 0 : i / m * n), n, values.as<T>()[i], right);
    });
  });
}

// ---- whole rows ------------------------------------------------------------------------------------------------------------------

void sort_rows(const View& x, const View& order) {
  const std::int64_t n = x.sizes[0], width = x.sizes[1];
  auto* at = order.as<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) at[i] = i;
  by_size(x.dtype, [&](auto u) {
    using U = decltype(u);
    const KeyFormat<U> key(x.dtype);
    const U* p = x.as<U>();
    std::stable_sort(at, at + n, [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t j = 0; j < width; ++j) {
        const U s = key(p[a * width + j]), t = key(p[b * width + j]);
        if (s != t) return s < t;
      }
      return false;
    });
  });
}

std::int64_t runs(const View& x, const View& order, const View& starts, const View& run_of) {
  const std::int64_t n = x.sizes[0], width = x.sizes[1];
  const auto* at = order.as<std::int64_t>();
  std::int64_t found = 0;
  by_dtype(x.dtype, [&](auto t) {
    using T = decltype(t);
    const T* p = x.as<T>();
    const auto equal = [&](std::int64_t a, std::int64_t b) {
      for (std::int64_t j = 0; j < width; ++j)
        if (!(wide(p[a * width + j]) == wide(p[b * width + j]))) return false;
      return true;
    };
    for (std::int64_t i = 0; i < n; ++i) {
      if (i == 0 || !equal(at[i - 1], at[i])) starts.as<std::int64_t>()[found++] = i;
      run_of.as<std::int64_t>()[at[i]] = found - 1;
    }
  });
  return found;
}

}  // namespace

void add_sort(SortKernels& k) {
  k.sort = &sort;
  k.order_statistic = &order_statistic;
  k.search = &search;
  k.sort_rows = &sort_rows;
  k.runs = &runs;
}

}  // namespace rill::cpu

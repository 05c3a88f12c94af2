// The steps of reductions for one instruction set. Sums add eight packs as a tree in the element type and the result in double:
// the error of a float32 sum is a few roundings whatever its length.
#include "backends/api/kernels/reduce.h"

#include <cmath>
#include <limits>

#include "backends/api/functors/reduce.h"
#include "backends/cpu/kernels/wide.h"

namespace rill::cpu::RILL_ARCH {
namespace {

using Plain = fn::PlainTerm;
using Square = fn::SquareTerm;
using Magnitude = fn::MagnitudeTerm;

// ---- sums of float and double ---------------------------------------------------------------------------------------------------

/// Term of the elements at x, x + step, ... of eight packs.
template <class Term, class T> [[gnu::always_inline]] inline Pack<T> tree(const T* x, std::int64_t step) {
  auto at = [&](int k) { return Term::of(Pack<T>::load(x + k * step)); };
  return ((at(0) + at(1)) + (at(2) + at(3))) + ((at(4) + at(5)) + (at(6) + at(7)));
}

/// Squares of doubles and products of floats are exact enough only when squared in double: floats are widened first.
template <class Term, class T> [[gnu::always_inline]] inline void add_terms(WideSum<T>& sum, Pack<T> x) {
  if constexpr (std::is_same_v<Term, Square> && std::is_same_v<T, float>) {
    const auto [a, b] = widen(x);
    sum.low = sum.low + a * a, sum.high = sum.high + b * b;
  } else {
    sum.add(Term::of(x));
  }
}
template <class Term, class T> inline constexpr bool uses_tree = !(std::is_same_v<Term, Square> && std::is_same_v<T, float>);

template <class Term, class T> double sum_row(const T* x, std::int64_t n) {
  constexpr std::int64_t w = Pack<T>::size;
  WideSum<T> sum;
  double rest = 0;
  std::int64_t i = 0;
  if constexpr (uses_tree<Term, T>)
    for (; i + 8 * w <= n; i += 8 * w) sum.add(tree<Term>(x + i, w));
  for (; i + w <= n; i += w) add_terms<Term>(sum, Pack<T>::load(x + i));
  for (; i < n; ++i) rest += Term::of(static_cast<double>(x[i]));
  return sum.total() + rest;
}

template <class Term, class T> void sum_columns(const T* x, std::int64_t length, std::int64_t stride, std::int64_t width, double* acc) {
  constexpr std::int64_t w = Pack<T>::size;
  std::int64_t r = 0;
  if constexpr (uses_tree<Term, T>)
    for (; r + 8 <= length; r += 8) {
      const T* row = x + r * stride;
      std::int64_t c = 0;
      for (; c + w <= width; c += w) {
        auto sum = WideSum<T>::load(acc + c);
        sum.add(tree<Term>(row + c, stride));
        sum.store(acc + c);
      }
      for (; c < width; ++c)
        for (int k = 0; k < 8; ++k) acc[c] += Term::of(static_cast<double>(row[c + k * stride]));
    }
  for (; r < length; ++r) {
    const T* row = x + r * stride;
    std::int64_t c = 0;
    for (; c + w <= width; c += w) {
      auto sum = WideSum<T>::load(acc + c);
      add_terms<Term>(sum, Pack<T>::load(row + c));
      sum.store(acc + c);
    }
    for (; c < width; ++c) acc[c] += Term::of(static_cast<double>(row[c]));
  }
}

// ---- the monoids ----------------------------------------------------------------------------------------------------------------

template <class T> inline constexpr bool real = std::is_floating_point_v<T>;

template <class T, class Term> struct SumOf : fn::SumOf<T, Term> {
  using Acc = typename fn::SumOf<T, Term>::Acc;
  static void accumulate(const T* x, std::int64_t length, std::int64_t stride, std::int64_t width, Acc* acc) {
    if constexpr (real<T>) {
      if (width == 1 && stride == 1) acc[0] += sum_row<Term>(x, length);
      else sum_columns<Term>(x, length, stride, width, acc);
    } else {
      for (std::int64_t r = 0; r < length; ++r)
        for (std::int64_t c = 0; c < width; ++c) acc[c] += fn::SumOf<T, Term>::term(x[r * stride + c]);
    }
  }
};

template <class T> struct ProductOf : fn::ProductOf<T> {
  using Acc = typename fn::ProductOf<T>::Acc;
  using fn::ProductOf<T>::merge;
  static void accumulate(const T* x, std::int64_t length, std::int64_t stride, std::int64_t width, Acc* acc) {
    for (std::int64_t r = 0; r < length; ++r)
      for (std::int64_t c = 0; c < width; ++c) acc[c] = merge(acc[c], static_cast<Acc>(x[r * stride + c]));
  }
};

template <class T, bool kMax> struct ExtremeOf : fn::ExtremeOf<T, kMax> {
  using Acc = T;
  using fn::ExtremeOf<T, kMax>::merge;
  static void accumulate(const T* x, std::int64_t length, std::int64_t stride, std::int64_t width, Acc* acc) {
    if constexpr (real<T>) {
      constexpr std::int64_t w = Pack<T>::size;
      if (width == 1 && stride == 1) {
        std::int64_t i = 0;
        if (length >= 4 * w) {
          Pack<T> m[4];
          for (int k = 0; k < 4; ++k) m[k] = Pack<T>::load(x + k * w);
          for (i = 4 * w; i + 4 * w <= length; i += 4 * w)
            for (int k = 0; k < 4; ++k) m[k] = merge(m[k], Pack<T>::load(x + i + k * w));
          alignas(64) T lanes[w];
          merge(merge(m[0], m[1]), merge(m[2], m[3])).store(lanes);
          for (T lane : lanes) acc[0] = merge(acc[0], lane);
        }
        for (; i < length; ++i) acc[0] = merge(acc[0], x[i]);
        return;
      }
      for (std::int64_t r = 0; r < length; ++r) {
        const T* row = x + r * stride;
        std::int64_t c = 0;
        for (; c + w <= width; c += w) merge(Pack<T>::load(acc + c), Pack<T>::load(row + c)).store(acc + c);
        for (; c < width; ++c) acc[c] = merge(acc[c], row[c]);
      }
    } else {
      for (std::int64_t r = 0; r < length; ++r)
        for (std::int64_t c = 0; c < width; ++c) acc[c] = merge(acc[c], x[r * stride + c]);
    }
  }
};

template <class T, class M, bool kRoot = false> ReduceSteps steps() {
  using Acc = typename M::Acc;
  using Out = typename M::Out;
  ReduceSteps s;
  s.start = [](void* acc, std::int64_t n) {
    for (std::int64_t c = 0; c < n; ++c) static_cast<Acc*>(acc)[c] = M::identity();
  };
  s.accumulate = [](const void* x, std::int64_t length, std::int64_t stride, std::int64_t width, void* acc) {
    M::accumulate(static_cast<const T*>(x), length, stride, width, static_cast<Acc*>(acc));
  };
  s.combine = [](void* acc, const void* other, std::int64_t n) {
    for (std::int64_t c = 0; c < n; ++c) static_cast<Acc*>(acc)[c] = M::merge(static_cast<Acc*>(acc)[c], static_cast<const Acc*>(other)[c]);
  };
  s.finish = [](const void* acc, void* out, std::int64_t stride, std::int64_t n, double divisor) {
    const Acc* a = static_cast<const Acc*>(acc);
    Out* o = static_cast<Out*>(out);
    for (std::int64_t c = 0; c < n; ++c) o[c * stride] = fn::finish<M, kRoot>(a[c], divisor);
  };
  return s;
}

template <class T> void fill_type(ReduceKernels& k) {
  const int t = static_cast<int>(dtype_of<T>);
  auto at = [&](Reduce r) -> ReduceSteps& { return k.steps[static_cast<int>(r)][t]; };
  at(Reduce::sum) = steps<T, SumOf<T, Plain>>();
  at(Reduce::prod) = steps<T, ProductOf<T>>();
  at(Reduce::max) = steps<T, ExtremeOf<T, true>>();
  at(Reduce::min) = steps<T, ExtremeOf<T, false>>();
  if constexpr (real<T>) {
    at(Reduce::sum_of_squares) = steps<T, SumOf<T, Square>>();
    at(Reduce::root_of_squares) = steps<T, SumOf<T, Square>, true>();
    at(Reduce::sum_of_magnitudes) = steps<T, SumOf<T, Magnitude>>();
  }
}

}  // namespace

void fill_reduce(ReduceKernels& k) {
  fill_type<float>(k), fill_type<double>(k);
  fill_type<std::int64_t>(k), fill_type<std::int32_t>(k), fill_type<std::int16_t>(k), fill_type<std::int8_t>(k);
  fill_type<std::uint8_t>(k), fill_type<bool>(k);
}

}  // namespace rill::cpu::RILL_ARCH

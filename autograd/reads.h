// Which operands a gradient formula reads: the formula is evaluated on bit masks, so nobody keeps a save list by hand.
#pragma once

#include "backends/api/functors/binary.h"
#include "backends/api/functors/unary.h"

namespace rill {

struct Probe {
  unsigned bits = 0;
  static constexpr unsigned kGrad = 1, kA = 2, kB = 4, kOutput = 8;

#define RILL_MERGE2(name) friend constexpr Probe name(Probe a, Probe b) { return {a.bits | b.bits}; }
  RILL_MERGE2(operator+) RILL_MERGE2(operator-) RILL_MERGE2(operator*) RILL_MERGE2(operator/) RILL_MERGE2(operator<) RILL_MERGE2(operator<=)
  RILL_MERGE2(operator>) RILL_MERGE2(operator>=) RILL_MERGE2(operator==) RILL_MERGE2(both) RILL_MERGE2(max) RILL_MERGE2(min) RILL_MERGE2(pow)
#undef RILL_MERGE2
#define RILL_MERGE1(name) friend constexpr Probe name(Probe a) { return a; }
  RILL_MERGE1(operator-) RILL_MERGE1(abs) RILL_MERGE1(sign) RILL_MERGE1(sqrt) RILL_MERGE1(exp) RILL_MERGE1(exp2) RILL_MERGE1(log) RILL_MERGE1(sin) RILL_MERGE1(cos)
  RILL_MERGE1(sinh) RILL_MERGE1(cosh) RILL_MERGE1(erfc) RILL_MERGE1(expm1) RILL_MERGE1(log1p) RILL_MERGE1(digamma) RILL_MERGE1(trigamma)
  RILL_MERGE1(floor) RILL_MERGE1(trunc) RILL_MERGE1(tanh) RILL_MERGE1(rint)
#undef RILL_MERGE1
  friend constexpr Probe where(Probe m, Probe a, Probe b) { return {m.bits | a.bits | b.bits}; }
  friend constexpr Probe zero_like(Probe) { return {}; }
};
template <> struct fn::Literal<Probe> {
  static constexpr Probe make(double) { return {}; }
};

/// Bits of the operands that F's gradient reads.
template <class F> constexpr unsigned unary_reads() { return F{}.grad(Probe{Probe::kGrad}, Probe{Probe::kA}, Probe{Probe::kOutput}).bits; }
template <class F> constexpr unsigned reads_a() { return F{}.grad_a(Probe{Probe::kGrad}, Probe{Probe::kA}, Probe{Probe::kB}, Probe{Probe::kOutput}).bits; }
template <class F> constexpr unsigned reads_b() { return F{}.grad_b(Probe{Probe::kGrad}, Probe{Probe::kA}, Probe{Probe::kB}, Probe{Probe::kOutput}).bits; }

static_assert((unary_reads<fn::Tanh>() & Probe::kA) == 0);  // tanh keeps y and lets x go
static_assert(unary_reads<fn::Neg>() == Probe::kGrad);

}  // namespace rill

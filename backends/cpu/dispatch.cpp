// Asks the processor once and fills the kernel table from the baseline upwards. RILL_ISA=baseline|avx2|avx512 lowers the choice.
#include "backends/cpu/dispatch.h"

#ifdef RILL_X86_SETS
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string>

#include "backends/api/backend.h"
#include "backends/cpu/conv.h"
#include "backends/cpu/index.h"
#include "backends/cpu/linalg.h"
#include "backends/cpu/map.h"
#include "backends/cpu/norm.h"
#include "backends/cpu/random.h"
#include "backends/cpu/reduce.h"
#include "backends/cpu/rnn.h"
#include "backends/cpu/softmax.h"
#include "backends/cpu/sort.h"
#include "backends/cpu/update.h"

namespace rill::cpu {

#define RILL_SET(name)                                                                                             \
  namespace name {                                                                                                 \
  void fill_unary(MapKernels&);                                                                                    \
  void fill_binary(MapKernels&);                                                                                   \
  void fill_cast(MapKernels&);                                                                                     \
  void fill_transpose(MapKernels&);                                                                                \
  void fill_reduce(ReduceKernels&);                                                                                \
  void fill_index(IndexKernels&);                                                                                  \
  void fill_linalg(LinalgKernels&);                                                                                \
  void fill_conv(ConvKernels&);                                                                                    \
  void fill_conv_gradient(ConvKernels&);                                                                           \
  void fill_norm(NormKernels&);                                                                                    \
  void fill_softmax(NormKernels&);                                                                                 \
  void fill_random(RandomKernels&);                                                                                \
  void fill_rnn(RnnKernels&);                                                                                      \
  void fill_update(UpdateKernels&);                                                                                \
  static void fill(Kernels& k) {                                                                                   \
    fill_unary(k), fill_binary(k), fill_cast(k), fill_transpose(k), fill_reduce(k), fill_index(k), fill_linalg(k), fill_conv(k), fill_conv_gradient(k); \
    fill_norm(k), fill_softmax(k), fill_random(k), fill_rnn(k), fill_update(k);                                    \
  }                                                                                                                \
  }
RILL_SET(baseline)
#ifdef RILL_X86_SETS
RILL_SET(avx2)
RILL_SET(avx512)
#endif
#undef RILL_SET

namespace {

#ifdef RILL_X86_SETS
bool has_f16c() {  // clang 14 does not know the name for __builtin_cpu_supports
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

InstructionSet best() {
#ifdef RILL_X86_SETS
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    return InstructionSet::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

InstructionSet choose() {
  const InstructionSet have = best();
  const char* wish = std::getenv("RILL_ISA");
  if (!wish || !*wish) return have;
  for (auto set : {InstructionSet::baseline, InstructionSet::avx2, InstructionSet::avx512})
    if (wish == std::string(to_string(set))) {
      check<ValueError>(set <= have, "RILL_ISA", "this processor does not have {}; it has {}", wish, to_string(have));
      return set;
    }
  fail<ValueError>("RILL_ISA", "\"{}\" is not an instruction set; use baseline, avx2 or avx512", wish);
}

Kernels make_kernels(InstructionSet set) {
  Kernels k;
  k.map = &map;
  k.copy = &copy;
  k.fill = &fill;
  add_index(k);
  add_reduce(k);
  add_softmax(k);
  add_ctc(k);
  add_sort(k);
  add_linalg(k);
  add_conv(k);
  add_pool(k);
  add_norm(k);
  add_random(k);
  add_rnn(k);
  add_update(k);
  baseline::fill(k);
#ifdef RILL_X86_SETS
  if (set >= InstructionSet::avx2) avx2::fill(k);
  if (set >= InstructionSet::avx512) avx512::fill(k);
#endif
  return k;
}

}  // namespace

const char* to_string(InstructionSet set) {
  return set == InstructionSet::baseline ? "baseline" : set == InstructionSet::avx2 ? "avx2" : "avx512";
}

InstructionSet instruction_set() {
  static const InstructionSet set = choose();
  return set;
}

const Kernels& kernels_of(InstructionSet set) {
  check<ValueError>(set <= best(), "kernels_of", "this processor does not have {}; it has {}", to_string(set), to_string(best()));
  if (set == InstructionSet::avx512) {
    static const Kernels table = make_kernels(InstructionSet::avx512);
    return table;
  }
  if (set == InstructionSet::avx2) {
    static const Kernels table = make_kernels(InstructionSet::avx2);
    return table;
  }
  static const Kernels table = make_kernels(InstructionSet::baseline);
  return table;
}

}  // namespace rill::cpu

namespace rill {

const Kernels& make_cpu_kernels() {
  const Kernels& table = cpu::kernels_of(cpu::instruction_set());
  g_cpu_kernels.store(&table, std::memory_order_release);
  return table;
}

}  // namespace rill

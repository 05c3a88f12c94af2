// The same bits every time: twice, for every number of threads; and the same values on every instruction set.
#include "test/support/catch.h"

#include "backends/api/backend.h"
#include "backends/cpu/dispatch.h"
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

/// While it lives, ops run with the kernels of one instruction set.
class UseSet {
 public:
  explicit UseSet(cpu::InstructionSet set) : before_(&cpu_kernels()) { g_cpu_kernels = &cpu::kernels_of(set); }
  ~UseSet() { g_cpu_kernels = before_; }
  UseSet(const UseSet&) = delete;
  UseSet& operator=(const UseSet&) = delete;

 private:
  const Kernels* before_;
};

std::vector<Input> large_inputs(const Row& row) {
  if (!row.large.empty()) return row.large;
  std::vector<Input> inputs = row.inputs;
  if (row.elementwise)
    for (Input& in : inputs) in.shape = {70001};
  return inputs;
}

}  // namespace

TEST_CASE("results do not depend on the number of threads, nor on the run", "[table]") {
  const int before = num_threads();
  for (const Row& row : rows()) {
    std::vector<Dtype> dtypes = {usual_dtype(row)};
    if (row.kinds & kHalfs && row.name != std::string("randperm")) dtypes.push_back(bfloat16);  // so long a permutation has no place in 16 bits
    for (const Dtype dtype : dtypes) {
      INFO(row.name << " of " << to_string(dtype));
      const Args args = draw_inputs(large_inputs(row), dtype, 8);
      set_num_threads(1);
      const Tensor one = row.run(args);
      for (int n : {1, 2, 3, 7, 16}) {
        set_num_threads(n);
        CHECK(same_bits(row.run(args), one));
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("every instruction set gives the values of the baseline", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    for (const Dtype dtype : dtypes_of(row.kinds & (kFloats | kInts))) {
      INFO(to_string(dtype));
      const Args args = draw_inputs(row.inputs, dtype, 12);
      Tensor want;
      {
        const UseSet use(cpu::InstructionSet::baseline);
        want = row.run(args);
      }
      for (auto set : {cpu::InstructionSet::avx2, cpu::InstructionSet::avx512}) {
        if (set > cpu::instruction_set()) continue;
        INFO(cpu::to_string(set));
        const UseSet use(set);
        const Tensor out = row.run(args);
        if (row.bound == 0 || !is_floating(out.dtype())) {
          CHECK(same_bits(out, want));
          continue;
        }
        const double unit = 2 * row.bound * epsilon(out.dtype()) * row.roundings;
        CHECK(allclose(out, want, unit, unit * row.magnitude + smallest(out.dtype()), true));
      }
    }
  }
}

}  // namespace rill::optable

// Updates of optimizers: one pass over parameter, gradient and state.
#pragma once

#include <array>
#include <span>

#include "backends/api/functors/update.h"
#include "backends/api/view.h"

namespace rill {

inline constexpr int kUpdateStates = 3;
/// The memory of a rule in a list of several jobs, and in device memory.
inline constexpr std::size_t kRuleBytes = 96;

/// One contiguous piece in the slot's compute dtype: rule(p[i], g[i], state[0][i], ...). g may be p.
struct UpdateArgs {
  void* p;
  const void* g;
  void* state[kUpdateStates];
  std::int64_t n;
};
using UpdateFn = void (*)(const void* rule, const UpdateArgs&);
using UpdateSlots = std::array<UpdateFn, kDtypeCount>;  // by compute dtype: float32 and float64

/// One tensor to update. Views have one shape, any strides and floating dtypes; p and the states are written.
struct UpdateJob {
  const UpdateSlots* slots;
  const void* rule;
  int states;
  View p, g, state[kUpdateStates];
  const void* device_rule = nullptr;  // in device memory, where the rule is read when the job runs; null: `rule` is read now
};

struct UpdateKernels {
  std::array<UpdateSlots, fn::Update::size> update_piece{};
  /// Runs all jobs, in any order, in one parallel region. Computes in float64 where p has it, else in float32. `skip`, if not null, lies on the device and
  /// is read there: nothing is written unless it is 0.
  void (*update)(std::span<const UpdateJob> jobs, const float* skip) = nullptr;
};

}  // namespace rill

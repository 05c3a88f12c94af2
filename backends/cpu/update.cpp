// All tensors of an optimizer step in one parallel region: their elements are numbered through, and each chunk of them belongs to one
// thread. Dense operands of the compute dtype in one layout go to the kernel as they are; others are staged through blocks.
#include "backends/cpu/update.h"

#include <algorithm>

#include "backends/api/backend.h"
#include "backends/api/loop.h"
#include "backends/cpu/staging.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kGrain = 16 << 10;  // elements that are worth a task
constexpr int kOperands = 2 + kUpdateStates;

Dtype compute_of(const UpdateJob& job) { return job.p.dtype == Dtype::float64 ? Dtype::float64 : Dtype::float32; }

/// Operand 0 is p, 1 is g, then the states; places without a state repeat p and are never touched.
std::array<View, kOperands> operands(const UpdateJob& job) {
  std::array<View, kOperands> v{job.p, job.g, job.p, job.p, job.p};
  static_assert(kOperands == 5);
  std::copy(job.state, job.state + job.states, v.begin() + 2);
  return v;
}

UpdateArgs args_of(char* const* data, int states, std::int64_t n) {
  UpdateArgs a{data[0], data[1], {}, n};
  for (int k = 0; k < states; ++k) a.state[k] = data[2 + k];
  return a;
}

/// Elements [begin, end) of one job, counted in the memory order of p.
void run(const UpdateJob& job, std::int64_t begin, std::int64_t end) {
  const Dtype compute = compute_of(job);
  const UpdateFn fn = (*job.slots)[static_cast<int>(compute)];
  const int count = 2 + job.states;
  const auto views = operands(job);
  const LoopPlan<kOperands> plan(views);
  std::int64_t size[kOperands];
  bool direct[kOperands], flat = plan.rank <= 1;
  for (int k = 0; k < count; ++k) {
    size[k] = static_cast<std::int64_t>(size_of(views[k].dtype));
    direct[k] = views[k].dtype == compute;
    flat &= direct[k] && (plan.rank == 0 || plan.inner_stride(k) == size[k]);
  }
  char* at[kOperands];
  if (flat) {
    for (int k = 0; k < count; ++k) at[k] = plan.data[k] + begin * size[k];
    return fn(job.rule, args_of(at, job.states, end - begin));
  }

  const auto& cast = cpu_kernels().cast;
  const auto place = [](Dtype d) { return static_cast<std::size_t>(d); };
  Buffer raw[kOperands], converted[kOperands];
  LoopCursor<kOperands> cursor(plan, begin);
  while (begin < end) {
    const std::int64_t n = std::min(kBlock, end - begin);
    LoopCursor<kOperands> start = cursor;
    for (std::int64_t done = 0; done < n;) {
      const std::int64_t row = std::min(cursor.row_left(), n - done);
      for (int k = 0; k < count; ++k)
        gather(size_of(views[k].dtype), plan.data[k] + cursor.offset[k], plan.inner_stride(k), raw[k].bytes + done * size[k], row);
      cursor.advance(row);
      done += row;
    }
    for (int k = 0; k < count; ++k) {
      at[k] = direct[k] ? raw[k].bytes : converted[k].bytes;
      if (!direct[k]) cast[place(views[k].dtype)][place(compute)](raw[k].bytes, at[k], n);
    }
    fn(job.rule, args_of(at, job.states, n));
    for (int k = 0; k < count; ++k)
      if (k != 1 && !direct[k]) cast[place(compute)][place(views[k].dtype)](at[k], raw[k].bytes, n);
    for (std::int64_t done = 0; done < n;) {
      const std::int64_t row = std::min(start.row_left(), n - done);
      for (int k = 0; k < count; ++k)
        if (k != 1) scatter(size_of(views[k].dtype), raw[k].bytes + done * size[k], plan.data[k] + start.offset[k], plan.inner_stride(k), row);
      start.advance(row);
      done += row;
    }
    begin += n;
  }
}

void update(std::span<const UpdateJob> jobs, const float* skip) {
  if (skip && *skip != 0) return;
  std::int64_t total = 0;
  for (const UpdateJob& job : jobs) total += job.p.numel;
  parallel_for(total, kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t first = 0;  // number of the job's first element
    for (const UpdateJob& job : jobs) {
      const std::int64_t last = first + job.p.numel, from = std::max(begin, first), to = std::min(end, last);
      if (from < to) run(job, from - first, to - first);
      if ((first = last) >= end) break;
    }
  });
}

}  // namespace

void add_update(UpdateKernels& k) { k.update = &update; }

}  // namespace rill::cpu

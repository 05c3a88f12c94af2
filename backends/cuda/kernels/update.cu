// Updates of optimizers: many tensors in one launch. The table of tensors travels with the launch; a block finds its tensor by the number
// of its first block.
#include <cstring>
#include <deque>
#include <vector>

#include "backends/api/format.h"
#include "backends/api/kernels/map.h"
#include "backends/api/kernels/update.h"
#include "backends/cuda/kernels/dense.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/fill.h"
#include "backends/cuda/kernels/plan.h"

namespace rill::RILL_GPU {
namespace {

constexpr int kOperands = 2 + kUpdateStates;  // p, g, states
constexpr int kTensors = 128;                 // of one launch

struct UpdateTensor {
  char* data[kOperands];
  const void* rule;  // in device memory, or null: that of the launch
  std::int64_t n;
  Dtype dtype[kOperands];
  bool aligned;  // for loads of several elements
};
struct UpdateTable {
  int count = 0;
  std::uint32_t first_block[kTensors + 1] = {};
  UpdateTensor tensors[kTensors];
};
/// What `update` hands to a slot.
struct UpdateBatch : UpdateArgs {
  const UpdateTable* table;
  const float* skip;
};

template <class T> inline constexpr int kItems = sizeof(T) == 8 ? 2 : 4;
constexpr int kUpdateThreads = 256, kTiles = 4;
constexpr std::int64_t chunk_of(Dtype compute) { return std::int64_t{kUpdateThreads} * kTiles * (compute == Dtype::float64 ? kItems<double> : kItems<float>); }

template <class F, class T> struct UpdateKernel {
  static constexpr int kThreads = kUpdateThreads;
  F f;
  const float* skip;
  UpdateTable table;

  RILL_DEVICE void operator()(Team& team) const {
    if (skip && *skip != 0) return;
    const auto block = static_cast<std::uint32_t>(team.block());
    int low = 0, high = table.count;  // the last tensor that begins at or before this block
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      if (table.first_block[middle] <= block) low = middle;
      else high = middle;
    }
    const UpdateTensor& t = table.tensors[low];
    const F rule = t.rule ? *static_cast<const F*>(t.rule) : f;
    const std::int64_t start = static_cast<std::int64_t>(block - table.first_block[low]) * (kThreads * kTiles * kItems<T>);
    RILL_NO_UNROLL
    for (int tile = 0; tile < kTiles; ++tile) {
      const std::int64_t i = start + (tile * kThreads + team.thread()) * kItems<T>;
      if (t.aligned && i + kItems<T> <= t.n) {
        several<kItems<T>>(rule, t, i);
      } else {
        RILL_NO_UNROLL
        for (int j = 0; j < kItems<T>; ++j)
          if (i + j < t.n) several<1>(rule, t, i + j);
      }
    }
  }

 private:
  RILL_DEVICE static char* at(const UpdateTensor& t, int k, std::int64_t i) { return t.data[k] + i * bytes_of(t.dtype[k]); }
  RILL_DEVICE static void apply(const F& rule, T& p, T g, T* s) {
    if constexpr (F::states == 0) rule(p, g);
    else if constexpr (F::states == 1) rule(p, g, s[0]);
    else if constexpr (F::states == 2) rule(p, g, s[0], s[1]);
    else rule(p, g, s[0], s[1], s[2]);
  }
  /// n elements from i on.
  template <int n> RILL_DEVICE static void several(const F& rule, const UpdateTensor& t, std::int64_t i) {
    T p[n], g[n], s[kUpdateStates][n];
    load_floats(at(t, 0, i), t.dtype[0], p);
    load_floats(at(t, 1, i), t.dtype[1], g);
    RILL_UNROLL
    for (int k = 0; k < F::states; ++k) load_floats(at(t, 2 + k, i), t.dtype[2 + k], s[k]);
    RILL_UNROLL
    for (int j = 0; j < n; ++j) {
      T own[kUpdateStates] = {};
      for (int k = 0; k < F::states; ++k) own[k] = s[k][j];
      apply(rule, p[j], g[j], own);
      for (int k = 0; k < F::states; ++k) s[k][j] = own[k];
    }
    store_floats(p, at(t, 0, i), t.dtype[0]);
    RILL_UNROLL
    for (int k = 0; k < F::states; ++k) store_floats(s[k], at(t, 2 + k, i), t.dtype[2 + k]);
  }
};

template <class F, class T> void run_batch(const void* rule, const UpdateArgs& a) {
  const auto& batch = static_cast<const UpdateBatch&>(a);
  const UpdateTable& table = *batch.table;
  launch(UpdateKernel<F, T>{*static_cast<const F*>(rule), batch.skip, table}, table.first_block[table.count]);
}
template <class F> void fill_one(UpdateSlots& slots) {
  static_assert(F::states <= kUpdateStates);
  slots[static_cast<int>(Dtype::float32)] = &run_batch<F, float>;
  slots[static_cast<int>(Dtype::float64)] = &run_batch<F, double>;
}

// ---- the table --------------------------------------------------------------------------------------------------------------------

/// One launch can do both: their rules are the same, or both are read in device memory.
bool same_rule(const UpdateJob& a, const UpdateJob& b) {
  if (a.device_rule || b.device_rule) return a.device_rule && b.device_rule;
  return std::memcmp(a.rule, b.rule, kRuleBytes) == 0;
}
Dtype compute_of(const UpdateJob& job) { return job.p.dtype == Dtype::float64 ? Dtype::float64 : Dtype::float32; }

/// Collects jobs that one launch can do. Operands that do not lie side by side in the order of the parameter (row-major where it has gaps) are
/// staged through copies that do: the gradient of a channels-last weight, say.
class Launcher {
 public:
  explicit Launcher(const float* skip) : skip_(skip) {}
  void add(const UpdateJob& job) {
    if (job.p.numel == 0) return;
    const Dtype compute = compute_of(job);
    if (first_ && (job.slots != first_->slots || compute != compute_ || !same_rule(job, *first_) || table_.count == kTensors)) run();
    if (!first_) first_ = &job, compute_ = compute;
    UpdateTensor& t = table_.tensors[table_.count];
    const int count = 2 + job.states;
    View views[kOperands] = {job.p, job.g, job.state[0], job.state[1], job.state[2]};
    for (int k = count; k < kOperands; ++k) views[k] = job.p;
    const LoopPlan<kOperands> plan({views[0], views[1], views[2], views[3], views[4]});
    bool flat = plan.rank <= 1;
    for (int k = 0; k < count; ++k) flat &= plan.rank == 0 || plan.inner_stride(k) == static_cast<std::int64_t>(size_of(views[k].dtype));
    t.n = job.p.numel, t.rule = job.device_rule;
    t.aligned = true;
    const bool last = !flat && !has_format(job.p, false) && has_format(job.p, true);
    const std::int64_t items = compute == Dtype::float64 ? kItems<double> : kItems<float>;
    for (int k = 0; k < count; ++k) {
      if (!flat && !has_format(views[k], last)) views[k] = stage(views[k], last, k != 1);
      t.data[k] = flat ? plan.data[k] : static_cast<char*>(views[k].data);
      t.dtype[k] = views[k].dtype;
      t.aligned &= reinterpret_cast<std::uintptr_t>(t.data[k]) % (size_of(views[k].dtype) * static_cast<std::size_t>(items)) == 0;
    }
    const auto blocks = static_cast<std::uint32_t>(blocks_for(t.n, chunk_of(compute)));
    table_.first_block[table_.count + 1] = table_.first_block[table_.count] + blocks;
    ++table_.count;
  }
  void run() {
    if (!first_) return;
    UpdateBatch batch{};
    batch.table = &table_, batch.skip = skip_;
    (*first_->slots)[static_cast<std::size_t>(compute_)](first_->rule, batch);
    for (const auto& [from, to] : back_) copies().copy(from, to);
    first_ = nullptr, table_.count = 0, back_.clear(), memory_.clear();
  }

 private:
  View stage(const View& v, bool last, bool written) {
    const View dense = memory_.emplace_back().copy_of(v, last);
    if (written) back_.emplace_back(dense, v);
    return dense;
  }
  const float* skip_;
  const UpdateJob* first_ = nullptr;  // says slots and rule of the batch
  Dtype compute_{};
  UpdateTable table_;
  std::deque<Dense> memory_;
  std::vector<std::pair<View, View>> back_;  // from, to
};

void update(std::span<const UpdateJob> jobs, const float* skip) {
  Launcher launcher(skip);
  for (const UpdateJob& job : jobs) launcher.add(job);
  launcher.run();
}

template <class... F> void fill_all(fn::List<F...>, UpdateKernels& k) {
  int i = 0;
  (..., fill_one<F>(k.update_piece[i++]));
}

}  // namespace

void fill_update(UpdateKernels& k) {
  fill_all(fn::Update{}, k);
  k.update = &update;
}

}  // namespace rill::RILL_GPU

// The updates of one step, collected and run together: one parallel region for any number of tensors.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "backends/api/backend.h"
#include "lib/core/capture.h"

namespace rill::optim {

/// Parameters of 16 bits have their states and norms in float32.
constexpr Dtype wide_dtype(Dtype d) { return size_of(d) < 4 ? Dtype::float32 : d; }
inline Tensor widened(const Tensor& t) { return t.to(wide_dtype(t.dtype())); }

/// While it lives, updates of this thread write nothing unless the flag, a float32 number on their device, is 0.
class SkipIf {
 public:
  explicit SkipIf(const Tensor& flag) { now() = static_cast<const float*>(static_cast<const void*>(impl(flag).data)); }
  ~SkipIf() { now() = nullptr; }
  SkipIf(const SkipIf&) = delete;
  SkipIf& operator=(const SkipIf&) = delete;
  static const float*& now() {
    static constinit thread_local const float* flag = nullptr;
    return flag;
  }
};

template <class F, class... States> UpdateJob update_job(const Tensor& p, const Tensor& g, const States&... states) {
  static_assert(sizeof...(States) == F::states);
  return {&kernels(p).update_piece[fn::Update::index<F>], nullptr, F::states, view(p), view(g), {view(states)...}};
}

/// Takes its memory from this thread's last list and gives it back, so that a step in a steady state asks the system for nothing.
class UpdateList {
 public:
  UpdateList() { storage_.swap(spare()); }
  ~UpdateList() {
    storage_.clear();
    storage_.swap(spare());
  }
  UpdateList(const UpdateList&) = delete;
  UpdateList& operator=(const UpdateList&) = delete;

  /// p and the states change by `rule`, which reads g; g may be p. All have one shape and floating dtypes. Versions are raised now.
  template <class F, class... States> void add(const F& rule, const Tensor& p, const Tensor& g, const States&... states) {
    static_assert(sizeof(F) <= kRuleBytes && std::is_trivially_copyable_v<F>);
    storage_.reads.push_back(g);
    storage_.jobs.push_back(update_job<F>(p, g, states...));
    std::memcpy(storage_.rules.emplace_back().data(), &rule, sizeof rule);
    bump_version(p), (..., bump_version(states));
  }
  void run() {
    if (storage_.jobs.empty()) return;
    const std::byte* constants = nullptr;
    if (current_capture) {
      constants = current_capture->constants(std::as_bytes(std::span(storage_.rules)));
      if (!constants) return storage_.clear();
    }
    for (std::size_t i = 0; i < storage_.jobs.size(); ++i) {
      storage_.jobs[i].rule = storage_.rules[i].data();
      if (constants) storage_.jobs[i].device_rule = constants + i * sizeof(Rule);
    }
    kernels(storage_.reads[0]).update(storage_.jobs, SkipIf::now());
    storage_.clear();
  }

 private:
  struct alignas(double) Rule : std::array<std::byte, kRuleBytes> {};
  struct Storage {
    std::vector<UpdateJob> jobs;
    std::vector<Rule> rules;
    std::vector<Tensor> reads;  // keeps gradients alive; parameters and states belong to the caller
    void swap(Storage& other) noexcept { jobs.swap(other.jobs), rules.swap(other.rules), reads.swap(other.reads); }
    void clear() noexcept { jobs.clear(), rules.clear(), reads.clear(); }
  };
  static Storage& spare() {
    thread_local Storage storage;
    return storage;
  }
  Storage storage_;
};

}  // namespace rill::optim

// How kernels are written: a struct whose operator() is what one thread does. nvcc compiles it for devices; any other compiler for the
// emulation in test/cuda, which runs the same source on the host.
#pragma once

#include "backends/cuda/kernels/runtime.h"

#ifndef __CUDACC__
#include <functional>
#endif

#ifdef __CUDACC__
#define RILL_DEVICE __device__ __forceinline__
#define RILL_DEVICE_CALL __device__ __noinline__
#define RILL_UNROLL _Pragma("unroll")
#define RILL_NO_UNROLL _Pragma("unroll 1")
#else
#define RILL_DEVICE inline
#define RILL_DEVICE_CALL inline
#define RILL_UNROLL
#define RILL_NO_UNROLL
#endif

namespace rill::RILL_GPU {

/// Blocks of `each` elements that cover n.
inline std::int64_t blocks_for(std::int64_t n, std::int64_t each) { return (n + each - 1) / each; }

#ifdef __CUDACC__

/// The threads of a block, seen by one of them. `sync` is for all threads of the block together.
struct Team {
  RILL_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }
  RILL_DEVICE std::int64_t block() const { return blockIdx.x; }
  RILL_DEVICE void sync() { __syncthreads(); }
};

/// Ends the kernel with an error, which the host sees at a later call.
RILL_DEVICE void trap() { __trap(); }
RILL_DEVICE void atomic_min(std::int64_t* p, std::int64_t v) { atomicMin(reinterpret_cast<long long*>(p), static_cast<long long>(v)); }

template <class K> __global__ void __launch_bounds__(K::kThreads, 1) run(const __grid_constant__ K kernel) {
  Team team;
  if constexpr (requires { typename K::Shared; }) {
    __shared__ typename K::Shared shared;
    kernel(team, shared);
  } else {
    kernel(team);
  }
}
template <class K> void launch(const K& kernel, std::int64_t blocks) {
  static_assert(sizeof(K) <= 32000);  // what a launch can carry
  if (blocks == 0) return;
  run<K><<<static_cast<unsigned>(blocks), K::kThreads, 0, static_cast<cudaStream_t>(stream())>>>(kernel);
  launched();
}

#else

/// Runs body(i) for i < count as coroutines that take turns at `barrier`; fails when they do not all meet the same barriers.
void run_threads(int count, void (*body)(void* context, int i), void* context);
void barrier();

struct Team {
  int thread_;
  std::int64_t block_;
  int thread() const { return thread_; }
  std::int64_t block() const { return block_; }
  void sync() { barrier(); }
};

[[noreturn]] void trap();
inline void atomic_min(std::int64_t* p, std::int64_t v) { *p = v < *p ? v : *p; }

/// Device memory is there only in between.
void enter_device();
void leave_device();
/// Adds work to the step that is captured.
void record(std::function<void()> work);

template <class K> void launch(const K& kernel, std::int64_t blocks) {
  if (capturing()) return record([kernel, blocks] { launch(kernel, blocks); });
  enter_device();
  for (std::int64_t block = 0; block < blocks; ++block) {
    if constexpr (requires { typename K::Shared; }) {
      struct Context {
        const K& kernel;
        std::int64_t block;
        typename K::Shared shared;
      } context{kernel, block, {}};
      run_threads(K::kThreads, [](void* c, int i) {
        auto& all = *static_cast<Context*>(c);
        Team team{i, all.block};
        all.kernel(team, all.shared);
      }, &context);
    } else {
      for (int i = 0; i < K::kThreads; ++i) {
        Team team{i, block};
        kernel(team);
      }
    }
  }
  leave_device();
  launched();
}

#endif

}  // namespace rill::RILL_GPU

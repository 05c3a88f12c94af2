// What the machine can do at most, measured beside the workloads: multiply-adds in registers, and numbers read and written in memory.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "bench/harness.h"

namespace bench {

using Lanes = float __attribute__((vector_size(32)));
constexpr int kChains = 12;  // independent sums: enough to hide the latency of a multiply-add

#if defined(__x86_64__)
__attribute__((target("avx2,fma")))
#endif
inline float multiply_adds(std::int64_t rounds) {
  const Lanes a = {0.5f, 0.25f, 0.125f, 1, 0.5f, 0.5f, 0.5f, 0.5f}, b = a + 1;
  Lanes s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{}, s8{}, s9{}, s10{}, s11{};
  for (std::int64_t r = 0; r < rounds; ++r) {
    s0 = s0 * a + b, s1 = s1 * a + b, s2 = s2 * a + b, s3 = s3 * a + b, s4 = s4 * a + b, s5 = s5 * a + b;
    s6 = s6 * a + b, s7 = s7 * a + b, s8 = s8 * a + b, s9 = s9 * a + b, s10 = s10 * a + b, s11 = s11 * a + b;
    asm volatile("" : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5));  // the sums are not recognised as one
    asm volatile("" : "+x"(s6), "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11));
  }
  return (s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11)[0];
}

inline void on_threads(int threads, const std::function<void(int)>& f) {
  std::vector<std::thread> team;
  for (int t = 1; t < threads; ++t) team.emplace_back(f, t);
  f(0);
  for (auto& t : team) t.join();
}

/// Rows machine_fma and machine_triad: a = b + s c over arrays of 64 MiB.
inline void machine(const Settings& s) {
  constexpr std::int64_t kRounds = 1 << 23, kNumbers = 1 << 24;
  run(s, "machine_fma", [&] { on_threads(s.threads, [](int) { [[maybe_unused]] volatile float keep = multiply_adds(kRounds); }); }, {.flop = 2.0 * 8 * kChains * kRounds * s.threads});
  if (!wanted(s, "machine_triad")) return;  // its memory is no part of the other rows'
  const std::unique_ptr<float[]> a(new float[kNumbers]), b(new float[kNumbers]), c(new float[kNumbers]);
  std::fill_n(a.get(), kNumbers, 0.f), std::fill_n(b.get(), kNumbers, 1.f), std::fill_n(c.get(), kNumbers, 2.f);
  run(s, "machine_triad", [&] {
    on_threads(s.threads, [&](int t) {
      float* __restrict x = a.get();
      const float *y = b.get(), *z = c.get();
      for (std::int64_t i = kNumbers * t / s.threads; i < kNumbers * (t + 1) / s.threads; ++i) x[i] = y[i] + 3 * z[i];
    });
  }, {.bytes = 12.0 * kNumbers});
}

}  // namespace bench

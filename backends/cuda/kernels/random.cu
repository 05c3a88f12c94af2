// Random numbers: a thread computes one block of Philox words, and neighbouring threads write neighbouring elements
// (Note [Random layout] in backends/api/kernels/random.h).
#include "backends/api/kernels/random.h"

#include "backends/api/functors/random.h"
#include "backends/cuda/kernels/elements.h"
#include "backends/cuda/kernels/fill.h"

namespace rill::RILL_GPU {
namespace {

constexpr int kLanes = 16;  // blocks of a group
template <class T> struct ComputeOf { using type = float; };
template <> struct ComputeOf<double> { using type = double; };
template <class T> inline constexpr int kDigits = 24;
template <> inline constexpr int kDigits<Half> = 11;
template <> inline constexpr int kDigits<BFloat16> = 8;

template <class T, RandomKind kind> struct RandomKernel {
  static constexpr int kThreads = 256;
  using C = typename ComputeOf<T>::type;
  static constexpr bool kWide = sizeof(C) == 8;
  static constexpr int kNumbers = kWide ? 2 : 4;  // of a block of words
  Draw draw;
  std::int64_t n;
  const T* in;
  T* out;
  double a, b, c;

  RILL_DEVICE void operator()(Team& team) const {
    const std::int64_t block = team.block() * kThreads + team.thread();
    const std::int64_t first = block / kLanes * (kNumbers * kLanes) + block % kLanes;  // number k is element first + 16 k
    if (first >= n) return;
    const Draw here = resolved(draw);
    const PhiloxBlock words = philox_block(here.seed, static_cast<std::uint64_t>(block), here.call);
    C x[kNumbers] = {}, y[kNumbers];
    if constexpr (kind == RandomKind::bernoulli_of || kind == RandomKind::dropout) {
      RILL_UNROLL
      for (int k = 0; k < kNumbers; ++k)
        if (first + k * kLanes < n) x[k] = static_cast<C>(in[first + k * kLanes]);
    }
    numbers(words.w, x, y);
    RILL_UNROLL
    for (int k = 0; k < kNumbers; ++k)
      if (first + k * kLanes < n) out[first + k * kLanes] = static_cast<T>(y[k]);
  }

 private:
  RILL_DEVICE void numbers(const std::uint32_t* w, const C* x, C* y) const {
    const C low = static_cast<C>(a), factor = static_cast<C>(b);
    if constexpr (kind == RandomKind::uniform) {
      const C span = static_cast<C>(b - a), most = static_cast<C>(c);
      RILL_UNROLL
      for (int k = 0; k < kNumbers; ++k) {
        C u;
        if constexpr (kWide) u = fn::uniform_of(w[2 * k], w[2 * k + 1]);
        else u = fn::uniform_of<kDigits<T>>(w[k]);
        const C v = low + span * u;
        y[k] = v < most ? v : most;
      }
    } else if constexpr (kind == RandomKind::normal) {
      RILL_UNROLL
      for (int k = 0; k < kNumbers; k += 2) {
        C r, cosine, sine;
        if constexpr (kWide) r = fn::radius_of(fn::positive_uniform_of(w[0], w[1])), fn::turn(w[2], w[3], cosine, sine);
        else r = fn::radius_of(fn::positive_uniform_of(w[k])), fn::turn(w[k + 1], cosine, sine);
        y[k] = low + factor * (r * cosine);
        y[k + 1] = low + factor * (r * sine);
      }
    } else if constexpr (kind == RandomKind::exponential) {
      RILL_UNROLL
      for (int k = 0; k < kNumbers; ++k) {
        C u;
        if constexpr (kWide) u = fn::positive_uniform_of(w[2 * k], w[2 * k + 1]);
        else u = fn::positive_uniform_of(w[k]);
        const C v = -fn::log_of(u) * low;
        y[k] = v > C{0} ? v : C{0};
      }
    } else {  // a 32-bit word for every dtype; float64 takes the high words
      RILL_UNROLL
      for (int k = 0; k < kNumbers; ++k) {
        const double word = static_cast<double>(w[kWide ? 2 * k + 1 : k]);
        if constexpr (kind == RandomKind::bernoulli_of) y[k] = word < static_cast<double>(x[k]) * 4294967296.0 ? C{1} : C{0};
        else if constexpr (kind == RandomKind::bernoulli) y[k] = word < a * 4294967296.0 ? C{1} : C{0};
        else y[k] = word < a * 4294967296.0 ? x[k] * factor : C{0};
      }
    }
  }
};

template <class T, RandomKind kind> void run_kind(const Draw& draw, double a, double b, double c, const View* in, const View& out) {
  using K = RandomKernel<T, kind>;
  const std::int64_t blocks = blocks_for(out.numel, K::kNumbers * kLanes) * kLanes;
  launch(K{draw, out.numel, in ? in->as<const T>() : nullptr, out.as<T>(), a, b, c}, blocks_for(blocks, K::kThreads));
}
template <class T> void run_dtype(RandomKind kind, const Draw& draw, double a, double b, double c, const View* in, const View& out) {
  switch (kind) {
    case RandomKind::uniform: return run_kind<T, RandomKind::uniform>(draw, a, b, c, in, out);
    case RandomKind::normal: return run_kind<T, RandomKind::normal>(draw, a, b, c, in, out);
    case RandomKind::exponential: return run_kind<T, RandomKind::exponential>(draw, a, b, c, in, out);
    case RandomKind::bernoulli: return run_kind<T, RandomKind::bernoulli>(draw, a, b, c, in, out);
    case RandomKind::bernoulli_of: return run_kind<T, RandomKind::bernoulli_of>(draw, a, b, c, in, out);
    case RandomKind::dropout: return run_kind<T, RandomKind::dropout>(draw, a, b, c, in, out);
  }
}
void random(RandomKind kind, const Draw& draw, double a, double b, double c, const View* in, const View& out) {
  switch (out.dtype) {
    case Dtype::float16: return run_dtype<Half>(kind, draw, a, b, c, in, out);
    case Dtype::bfloat16: return run_dtype<BFloat16>(kind, draw, a, b, c, in, out);
    case Dtype::float32: return run_dtype<float>(kind, draw, a, b, c, in, out);
    default: return run_dtype<double>(kind, draw, a, b, c, in, out);
  }
}

struct IntegersKernel {
  static constexpr int kThreads = 256;
  Draw draw;
  std::int64_t n, low;
  std::uint64_t range;
  std::int64_t* out;
  RILL_DEVICE void operator()(Team& team) const {
    const std::int64_t i = team.block() * kThreads + team.thread();
    if (i >= n) return;
    const std::uint64_t r = philox_random64(draw, static_cast<std::uint64_t>(i));
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + (range ? scale_down(r, range) : r));
  }
};
void random_integers(const Draw& draw, std::int64_t low, std::uint64_t range, const View& out) {
  using K = IntegersKernel;
  launch(K{draw, out.numel, low, range, out.as<std::int64_t>()}, blocks_for(out.numel, K::kThreads));
}

}  // namespace

void fill_random(RandomKernels& k) {
  k.random = &random;
  k.random_integers = &random_integers;
}

}  // namespace rill::RILL_GPU

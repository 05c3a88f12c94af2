// What ops need of a generator.
#pragma once

#include <mutex>
#include <optional>

#include <rill/core/random.h>

#include "lib/core/mersenne.h"
#include "lib/core/philox.h"
#include "lib/core/tensorflow_random.h"

namespace rill {

namespace detail {
struct GeneratorState {
  mutable std::mutex mutex;
  std::uint64_t seed = 0;
  std::uint64_t stream = 0, calls = 0;         // Philox
  std::unique_ptr<Mersenne> mersenne;          // torch-compatible
  std::optional<TensorFlowRandom> tensorflow;  // TensorFlow-compatible; neither: Philox
};
struct GeneratorAccess {
  static GeneratorState& state(const Generator& g) noexcept { return *g.state_; }
};
}  // namespace detail

/// Takes the next call number; the generator is not torch-compatible. ValueError when it is TensorFlow-compatible. While the thread
/// captures device work, the draw is resolved by each replay.
Draw next_draw(const Generator& generator);
/// Takes `count` call numbers and returns the first.
Draw take_draws(const Generator& generator, std::uint64_t count);

/// Runs f(Mersenne&) with the generator locked; false when it is not torch-compatible.
template <class F> bool with_mersenne(const Generator& generator, F f) {
  auto& s = detail::GeneratorAccess::state(generator);
  std::lock_guard lock(s.mutex);
  if (!s.mersenne) return false;
  f(*s.mersenne);
  return true;
}

/// Runs f(TensorFlowRandom&) with the generator locked; false when it is not TensorFlow-compatible.
template <class F> bool with_tensorflow(const Generator& generator, F f) {
  auto& s = detail::GeneratorAccess::state(generator);
  std::lock_guard lock(s.mutex);
  if (!s.tensorflow) return false;
  f(*s.tensorflow);
  return true;
}

}  // namespace rill

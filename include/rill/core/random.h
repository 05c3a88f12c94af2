// Sources of random numbers. The functions that fill tensors with them are in rill/ops/random.h.
#pragma once

#include <cstdint>
#include <memory>

#include <rill/core/tensor.h>

namespace rill {

namespace detail {
struct GeneratorState;
struct GeneratorAccess;  // the door for the library's own sources
}  // namespace detail

/// A source of random numbers: a handle, copies share one state. Every method may be called from several threads.
///
/// The generator is counter based: Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011). Each op
/// that draws takes the next number of the generator's call counter; element i then depends on (seed, stream, call, i) alone.
/// So values are the same for every thread count and instruction set and on every device, and they stay the same in later releases.
class Generator {
 public:
  static constexpr std::uint64_t kDefaultSeed = 67280421310721;
  /// Generators with one seed and different streams (below 65,536) are independent: one per rank or worker. ValueError outside.
  explicit Generator(std::uint64_t seed = kDefaultSeed, std::uint32_t stream = 0);
  /// MT19937 used as PyTorch's CPU generator uses it: the same seed gives the values of torch.rand, randn, randint and randperm,
  /// and with them the same initial weights. Sequential and slower. float32 normals agree to the last bit or two, 16-bit ones need not.
  static Generator torch_compatible(std::uint64_t seed = kDefaultSeed);
  bool is_torch_compatible() const;
  /// The stream of one random op of TensorFlow 1.x on the CPU, for uniform_, normal_ and trunc_normal_ (at two deviations) in float32;
  /// everything else refuses it with ValueError or DtypeError. `op_seed` is the argument `seed` of the op, `graph_seed` that of set_random_seed,
  /// whose default here is what TensorFlow takes without one. Normals agree to the last bit or two.
  static Generator tensorflow_compatible(std::uint64_t op_seed, std::uint64_t graph_seed = 87654321);

  /// Starts again from a seed.
  void manual_seed(std::uint64_t seed) const;
  /// Starts again from a seed that the operating system gives; returns it.
  std::uint64_t seed() const;
  std::uint64_t initial_seed() const;
  /// Everything needed to continue from here, as a uint8 tensor for a checkpoint.
  Tensor state() const;
  /// Continues from a saved state; the kind of generator may change. ValueError when the bytes are not such a state.
  void set_state(const Tensor& state) const;
  /// An independent generator in the same state.
  Generator clone() const;

  /// One number on the host: 64 random bits, or a double in [0, 1).
  std::uint64_t random64() const;
  double uniform() const;
  /// An integer in [0, bound); ValueError when bound is 0.
  std::uint64_t below(std::uint64_t bound) const;

  bool is_same(const Generator& other) const noexcept { return state_ == other.state_; }

 private:
  friend struct detail::GeneratorAccess;
  explicit Generator(std::shared_ptr<detail::GeneratorState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::GeneratorState> state_;
};

/// The generator of ops that are given none: the innermost GeneratorScope of this thread, else one that the whole process shares.
Generator default_generator();
/// Replaces the generator that the process shares: `set_default_generator(Generator::torch_compatible())`.
void set_default_generator(const Generator& generator);
/// Seeds `default_generator()` and returns it.
Generator manual_seed(std::uint64_t seed);

/// While it lives, the default generator of this thread; threads that draw at the same time each take one to be reproducible.
class GeneratorScope {
 public:
  explicit GeneratorScope(Generator generator);
  ~GeneratorScope();
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 private:
  friend Generator default_generator();
  Generator generator_;
  GeneratorScope* outer_;
};

}  // namespace rill

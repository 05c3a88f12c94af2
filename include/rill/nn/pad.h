// Padding layers; formulas and errors are those of rill/ops/pad.h.
#pragma once

#include <concepts>
#include <initializer_list>

#include <rill/nn/function.h>
#include <rill/ops/pad.h>

namespace rill::nn {

/// How much stands outside of each side: one number for all, or {before, after} of the last axis, then of the one before it, ...
class Sides {
 public:
  template <std::integral I> Sides(I all) : values_{static_cast<std::int64_t>(all)}, same_(true) {}
  Sides(std::initializer_list<std::int64_t> values) : values_(values) {}
  Sides(const Dims& values) : values_(values) {}
  /// For that many axes; ValueError when there are other than 2 values per axis.
  Dims of(const char* layer, int axes) const;

 private:
  Dims values_;
  bool same_ = false;
};

/// What the padding layers have in common.
class Padding : public Function {
 public:
  Padding(const char* layer, int axes, const Sides& sides, const PadOptions& options);
};

struct ConstantPad1d : Padding { ConstantPad1d(const Sides& s, double value) : Padding("ConstantPad1d", 1, s, {.value = value}) {} };
struct ConstantPad2d : Padding { ConstantPad2d(const Sides& s, double value) : Padding("ConstantPad2d", 2, s, {.value = value}) {} };
struct ConstantPad3d : Padding { ConstantPad3d(const Sides& s, double value) : Padding("ConstantPad3d", 3, s, {.value = value}) {} };
struct ZeroPad1d : Padding { explicit ZeroPad1d(const Sides& s) : Padding("ZeroPad1d", 1, s, {}) {} };
struct ZeroPad2d : Padding { explicit ZeroPad2d(const Sides& s) : Padding("ZeroPad2d", 2, s, {}) {} };
struct ZeroPad3d : Padding { explicit ZeroPad3d(const Sides& s) : Padding("ZeroPad3d", 3, s, {}) {} };
struct ReflectionPad1d : Padding { explicit ReflectionPad1d(const Sides& s) : Padding("ReflectionPad1d", 1, s, {.mode = PadMode::reflect}) {} };
struct ReflectionPad2d : Padding { explicit ReflectionPad2d(const Sides& s) : Padding("ReflectionPad2d", 2, s, {.mode = PadMode::reflect}) {} };
struct ReflectionPad3d : Padding { explicit ReflectionPad3d(const Sides& s) : Padding("ReflectionPad3d", 3, s, {.mode = PadMode::reflect}) {} };
struct ReplicationPad1d : Padding { explicit ReplicationPad1d(const Sides& s) : Padding("ReplicationPad1d", 1, s, {.mode = PadMode::replicate}) {} };
struct ReplicationPad2d : Padding { explicit ReplicationPad2d(const Sides& s) : Padding("ReplicationPad2d", 2, s, {.mode = PadMode::replicate}) {} };
struct ReplicationPad3d : Padding { explicit ReplicationPad3d(const Sides& s) : Padding("ReplicationPad3d", 3, s, {.mode = PadMode::replicate}) {} };
struct CircularPad1d : Padding { explicit CircularPad1d(const Sides& s) : Padding("CircularPad1d", 1, s, {.mode = PadMode::circular}) {} };
struct CircularPad2d : Padding { explicit CircularPad2d(const Sides& s) : Padding("CircularPad2d", 2, s, {.mode = PadMode::circular}) {} };
struct CircularPad3d : Padding { explicit CircularPad3d(const Sides& s) : Padding("CircularPad3d", 3, s, {.mode = PadMode::circular}) {} };

}  // namespace rill::nn

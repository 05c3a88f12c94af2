// Mixed precision: while a scope lives, each op of the calling thread picks a 16-bit float or float32 by itself.
#pragma once

#include <rill/core/device.h>
#include <rill/core/dtype.h>

namespace rill::amp {

/// Matrix products, convolutions, recurrent layers and attention compute in `dtype`; exp, log, pow, softmax, norms, sums and losses in
/// float32; ops that take operands of one dtype in the widest of those they get; all others in what they are given (docs/porting-from-pytorch.md
/// lists them). float64 and integers are left alone, so are in-place forms. Parameters stay float32 and get float32 gradients; their copies
/// in `dtype` are kept until the outermost scope ends and made again after a write. Put forward pass and loss inside; backward() needs no
/// scope and ignores one. Scopes nest: `enabled = false` gives plain ops back. DtypeError unless `dtype` is float16 or bfloat16.
class autocast {
 public:
  /// For tensors on every kind of device.
  explicit autocast(Dtype dtype, bool enabled = true);
  /// For tensors on one kind of device.
  explicit autocast(Device::Kind kind, Dtype dtype, bool enabled = true);
  ~autocast();
  autocast(const autocast&) = delete;
  autocast& operator=(const autocast&) = delete;

 private:
  Dtype before_[2];
};

/// Does a scope of this thread act on tensors of that kind of device?
bool autocast_enabled(Device::Kind kind = Device::Kind::cpu) noexcept;

}  // namespace rill::amp

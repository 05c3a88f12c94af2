// The softmax family. Floating dtypes only (DtypeError); IndexError for an axis outside the rank. The largest element of each line
// is subtracted first, so that nothing overflows; a line of only -inf gives NaN.
#pragma once

#include <rill/core/tensor.h>

namespace rill {

/// e^x / sum(e^x) along an axis; same shape.
Tensor softmax(const Tensor& x, std::int64_t axis = -1);
/// x - log(sum(e^x)) along an axis, without the rounding of log(softmax(x)).
Tensor log_softmax(const Tensor& x, std::int64_t axis = -1);
/// softmax(-x).
Tensor softmin(const Tensor& x, std::int64_t axis = -1);

}  // namespace rill

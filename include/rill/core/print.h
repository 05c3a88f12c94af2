// How tensors look as text: the repr of PyTorch, so that outputs of a port can be compared line by line.
//
//   tensor([[1.0000, 0.5000],
//           [   nan,    inf]], requires_grad=True, name="w")
//
// Differences: dtypes and ops carry rill's names (`dtype=float64`, `grad_fn=<mul>`), and a name, if set, is shown.
#pragma once

#include <concepts>
#include <iosfwd>
#include <optional>
#include <string>

#include <rill/core/tensor.h>

namespace rill {

struct PrintOptions {
  int precision = 4;                    ///< digits after the point
  std::int64_t threshold = 1000;        ///< tensors with more elements are summarised
  int edgeitems = 3;                    ///< elements shown at each end of a summarised axis
  int linewidth = 80;
  std::optional<bool> sci_mode = {};    ///< scientific notation always or never; unset: chosen from the values
};
/// The options of `to_string(t)` and `stream << t`, for all threads. ValueError for negative numbers and for a precision above 100.
void set_print_options(const PrintOptions& options);
PrintOptions print_options();

std::string to_string(const Tensor& t, const PrintOptions& options);

/// One line about many values: "w float32 [64, 3] min -0.57 max 0.58 mean 0.0021", followed by "3 nan" and "1 inf" if there are any;
/// min, max and mean are those of the finite values.
std::string summary(const Tensor& t);

std::ostream& operator<<(std::ostream& stream, const Tensor& t);
std::ostream& operator<<(std::ostream& stream, Dtype d);
std::ostream& operator<<(std::ostream& stream, Device d);
/// Exactly Dims: not what converts to it.
template <std::same_as<Dims> D, class Stream> Stream& operator<<(Stream& stream, const D& dims) { return stream << to_string(dims), stream; }

}  // namespace rill

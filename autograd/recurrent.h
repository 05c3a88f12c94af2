// What recurrent layers share: the steps of a sequence, rows of its buffers, checks.
#pragma once

#include <vector>

#include <rill/ops/rnn.h>

#include "autograd/elementwise.h"

namespace rill {

/// Rows [first, first + rows) of a packed tensor, which belong to rows [0, rows) of the batch.
struct Step {
  std::int64_t first, rows;
};

/// A sequence as the layers walk it. Inside they see packed tensors [total, features] only.
struct Sequence {
  std::vector<Step> steps;          // in the order in which they are worked on
  std::int64_t batch = 0, total = 0;
  Shape lead;                       // sizes of x before the features

  /// `state` (its rows) decides how many rows a packed batch has; undefined: those of the first step.
  Sequence(const char* op, const Tensor& x, const Tensor& state, const SequenceOptions& options);
  Tensor pack(const Tensor& x) const { return x.reshape({total, x.size(-1)}); }
  Tensor unpack(const Tensor& x) const;
};

/// An argument of a layer and the shape it must have.
struct Argument {
  const char* name;
  const Tensor& tensor;
  Shape shape;
  bool required = false;
};
/// Checks weights and states against x: device, dtype, shape.
void check_arguments(const char* op, const Tensor& x, std::initializer_list<Argument> arguments);
/// Rows of the weights for the input, which must be a multiple of `gates`; checks x against them.
std::int64_t units_of(const char* op, const Tensor& x, const Tensor& weight_ih, std::int64_t gates);

/// Those rows of a matrix, off the tape.
inline Tensor rows(const Tensor& t, Step s) { return make_alias(t, {s.rows, impl(t).shape[1]}, impl(t).strides, s.first * impl(t).strides[0]); }
/// The state in which each row of each step began, from the states after the steps and the initial ones: [total, width].
Tensor states_before(const Sequence& s, const Tensor& after, const Tensor& initial);
/// out = a b, or out += a b; off the tape.
inline void multiply(const Tensor& a, const Tensor& b, const Tensor& out, bool accumulate) { kernels(a).gemm(view(a), view(b), view(out), accumulate); }
/// True on processors that multiply bfloat16: then x and the matrices of a layer stay as they are.
bool keeps_bfloat16(const Tensor& x);
/// a b in float32, off the tape. Where one of them is bfloat16 the other is rounded to it.
Tensor wide_product(const Tensor& a, const Tensor& b);
/// x w^T + bias likewise; the bias may be undefined.
Tensor wide_linear(const Tensor& x, const Tensor& w, const Tensor& bias);
/// The right operand of one product in each step; with several steps on the CPU it is brought into the form of the kernels first. Left operands get its dtype.
class StepOperand {
 public:
  StepOperand(const Tensor& b, const Sequence& s);
  /// out = a b, or out += a b; off the tape.
  void multiply(const Tensor& a, const Tensor& out, bool accumulate) const;

 private:
  Tensor b_, panels_;
};
inline void copy_values(const Tensor& from, const Tensor& to) { kernels(to).copy(view(from), view(to)); }
/// A tensor [rows, width] like x.
inline Tensor matrix_like(const Tensor& x, std::int64_t rows, std::int64_t width) { return make_tensor({rows, width}, impl(x).dtype, impl(x).device); }
/// b + c; one or both may be undefined.
Tensor bias_sum(const Tensor& b, const Tensor& c);
/// The gradient of a state: a copy that may be written, zeros where none arrived.
Tensor running_gradient(const Tensor& g, const Tensor& like);

/// rows [0, n) of the new state, those that have ended from the old one; recorded.
Tensor merge_rows(const Tensor& changed, const Tensor& old);
/// Outputs in the order in which they were made, as one packed tensor like the state; recorded.
Tensor join_steps(const Sequence& s, std::vector<Tensor> outputs, const Tensor& state);

/// Those that are defined, in `dtype`; recorded.
std::vector<Tensor> converted(std::vector<Tensor> list, Dtype dtype);

}  // namespace rill

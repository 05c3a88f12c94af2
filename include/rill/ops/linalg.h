// Linear algebra. Matrices are the last two axes; leading axes are a batch. Products take operands of one dtype (any but bool),
// float16 and bfloat16 are accumulated in float32; decompositions take float32 and float64. Everything is differentiable, also twice,
// unless noted. Errors: ShapeError when sizes do not fit, DtypeError for a dtype that is not taken or two that differ, DeviceError
// for operands on different devices, Unimplemented for a decomposition in a build without LAPACK.
#pragma once

#include <string_view>
#include <vector>

#include <rill/core/tensor.h>

namespace rill {

// ---- products -------------------------------------------------------------------------------------------------------------

/// Matrix product with the rules of NumPy: [.., m, k] x [.., k, n] -> [.., m, n] with broadcast leading axes; a vector stands for a row
/// on the left and a column on the right, and its axis is missing in the result; two vectors give their dot product.
Tensor matmul(const Tensor& a, const Tensor& b);
/// [m, k] x [k, n] -> [m, n].
Tensor mm(const Tensor& a, const Tensor& b);
/// [b, m, k] x [b, k, n] -> [b, m, n]; no broadcasting.
Tensor bmm(const Tensor& a, const Tensor& b);
/// [m, k] x [k] -> [m].
Tensor mv(const Tensor& a, const Tensor& x);
/// [k] x [k] -> [].
Tensor dot(const Tensor& a, const Tensor& b);
/// [m] x [n] -> [m, n].
Tensor outer(const Tensor& a, const Tensor& b);
/// beta c + alpha a b; c broadcasts to the product. With beta = 0, c is not read (NaN in it does not matter).
struct AddmmOptions { Scalar beta = 1, alpha = 1; };
Tensor addmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options = {});
Tensor baddbmm(const Tensor& c, const Tensor& a, const Tensor& b, AddmmOptions options = {});
Tensor addmv(const Tensor& c, const Tensor& a, const Tensor& x, AddmmOptions options = {});
/// x w^T + b: x [.., in], w [out, in] (or [in]), b [out] -> [.., out].
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {});

}  // namespace rill

// An empty slot is an error with a name: what a backend does not have throws Unimplemented with op, device and dtype.
#pragma once

#include <span>

#include "backends/api/kernels.h"
#include "lib/core/check.h"
#include "lib/core/op_range.h"

namespace rill::unimplemented {

template <class T> void look_for_dtype(const T& argument, Dtype& dtype, bool& found) {
  if (found) return;
  if constexpr (std::is_same_v<T, View>) dtype = argument.dtype, found = true;
  else if constexpr (std::is_same_v<T, Dtype>) dtype = argument, found = true;
  else if constexpr (std::is_same_v<T, std::span<const UpdateJob>>) {
    if (!argument.empty()) dtype = argument[0].p.dtype, found = true;
  }
}

/// Device is a kind of device as messages call it.
template <class Name, class R, class... A> R missing(A... arguments) {
  Dtype dtype{};
  bool found = false;
  (..., look_for_dtype(arguments, dtype, found));
  const char* op = profiler::current_op();
  if (found) fail<Unimplemented>(*op ? op : "kernel", "no kernel for {} on {}; move the operands with .to(Device::cpu())", dtype, Name::text);
  fail<Unimplemented>(*op ? op : "kernel", "no kernel on {}; move the operands with .to(Device::cpu())", Name::text);
}
template <class Name, class R, class... A> void complete(R (*&slot)(A...)) {
  if (!slot) slot = &missing<Name, R, A...>;
}
/// Tables of pieces are looked up by the backend's own code, or by ops that look for null.
template <class Name, class T> void complete(T&) {}

/// Every slot of a table; the lists of names are as long as the structs, or this does not compile.
template <class Name> void complete_table(Kernels& k) {
  const auto all = [](auto&... slots) { (..., complete<Name>(slots)); };
  {
    auto& [unary, unary_grad, binary, compare, ternary, where, cast, transpose, map, copy, fill] = static_cast<MapKernels&>(k);
    all(unary, unary_grad, binary, compare, ternary, where, cast, transpose, map, copy, fill);
  }
  {
    auto& [steps, reduce, arg_extreme, scan] = static_cast<ReduceKernels&>(k);
    all(steps, reduce, arg_extreme, scan);
  }
  {
    auto& [take_rows, put_rows, positions, take, put, copy_rows, count_true, positions_true] = static_cast<IndexKernels&>(k);
    all(take_rows, put_rows, positions, take, put, copy_rows, count_true, positions_true);
  }
  {
    auto& [gemm_block, gemm, linear, gemm_panels, panels_size, pack_panels, gemm_packed, lu, lu_solve, determinant, cholesky, triangular_solve, qr, qr_columns, svd, eigh] = static_cast<LinalgKernels&>(k);
    all(gemm_block, gemm, linear, gemm_panels, panels_size, pack_panels, gemm_packed, lu, lu_solve, determinant, cholesky, triangular_solve, qr, qr_columns, svd, eigh);
  }
  {
    auto& [max_row, position_products, weighted_rows, max_gradient_row, any_format, conv, conv_input_gradient, conv_weight_gradient, max_pool, max_pool_gradient, pool_scatter, pool_gather, resample, resample_plane] = static_cast<ConvKernels&>(k);
    all(max_row, position_products, weighted_rows, max_gradient_row, any_format, conv, conv_input_gradient, conv_weight_gradient, max_pool, max_pool_gradient, pool_scatter, pool_gather, resample, resample_plane);
  }
  {
    auto& [norm_steps, norm_rows, norm_rows_grad, norm_channels, norm_channels_grad, softmax, softmax_gradient, cross_entropy, cross_entropy_gradient, ctc, ctc_gradient, softmax_lines] =
        static_cast<NormKernels&>(k);
    all(norm_steps, norm_rows, norm_rows_grad, norm_channels, norm_channels_grad, softmax, softmax_gradient, cross_entropy, cross_entropy_gradient, ctc, ctc_gradient, softmax_lines);
  }
  {
    auto& [random_piece, random, random_integers, random_permutation, multinomial, poisson] = static_cast<RandomKernels&>(k);
    all(random_piece, random, random_integers, random_permutation, multinomial, poisson);
  }
  {
    auto& [lstm_step, lstm_step_gradient, gru_step, gru_step_gradient, whole_rnn, rnn_lines] = static_cast<RnnKernels&>(k);
    all(lstm_step, lstm_step_gradient, gru_step, gru_step_gradient, whole_rnn, rnn_lines);
  }
  {
    auto& [sort, order_statistic, search, sort_rows, runs] = static_cast<SortKernels&>(k);
    all(sort, order_statistic, search, sort_rows, runs);
  }
  {
    auto& [update_piece, update] = static_cast<UpdateKernels&>(k);
    all(update_piece, update);
  }
}

}  // namespace rill::unimplemented

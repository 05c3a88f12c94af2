// Normalisation on several threads. Rows are handled in pieces of a fixed size, and what the pieces add up is combined in their
// order: results do not depend on the number of threads.
#include "backends/cpu/norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backends/api/backend.h"
#include "backends/api/functors/moments.h"
#include "lib/core/parallel.h"

namespace rill::cpu {
namespace {

constexpr std::int64_t kTask = 16 << 10;  // elements that are worth a task

const NormSteps& steps(Dtype d) { return cpu_kernels().norm_steps[static_cast<int>(d)]; }
template <class P> P* offset(P* p, Dtype d, std::int64_t elements) {
  using Byte = std::conditional_t<std::is_const_v<P>, const std::byte, std::byte>;
  return static_cast<Byte*>(p) + elements * static_cast<std::int64_t>(size_of(d));
}

/// Rows per piece: whole blocks of eight, worth a task, and not more than 64 pieces.
std::int64_t piece_rows(std::int64_t rows, std::int64_t width) {
  const std::int64_t fit = std::max({std::int64_t{1}, kTask / std::max<std::int64_t>(width, 1), (rows + 63) / 64});
  return (fit + 7) / 8 * 8;
}

/// Calls f(piece, begin, end) for the pieces of [0, rows).
template <class F> void for_pieces(std::int64_t rows, std::int64_t size, F f) {
  parallel_for(rows, size, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; b += size) f(b / size, b, std::min(b + size, end));
  });
}
/// out[i] = sum of parts[p * n + i] over the pieces, in their order.
void combine(const std::vector<double>& parts, std::int64_t first, std::int64_t step, std::int64_t n, double* out) {
  std::fill(out, out + n, 0.0);
  for (auto at = first; at < static_cast<std::int64_t>(parts.size()); at += step)
    for (std::int64_t i = 0; i < n; ++i) out[i] += parts[static_cast<std::size_t>(at + i)];
}

void norm_rows(Dtype d, const RowNorm& spec, const NormArgs& a) {
  const auto& s = steps(d);
  parallel_for(spec.rows, piece_rows(spec.rows, spec.channels * spec.run), [&](std::int64_t b, std::int64_t e) { s.rows(spec, a, b, e); });
}

void norm_rows_grad(Dtype d, const RowNorm& spec, const NormArgs& a) {
  const auto& s = steps(d);
  const std::int64_t size = piece_rows(spec.rows, spec.channels * spec.run), n = spec.groups * spec.channels;
  const std::int64_t pieces = (spec.rows + size - 1) / size, step = 2 * n;
  const bool parameters = a.gweight || a.gbias;
  std::vector<double> parts(static_cast<std::size_t>(parameters ? pieces * step : 0));
  for_pieces(spec.rows, size, [&](std::int64_t piece, std::int64_t b, std::int64_t e) {
    NormArgs own = a;
    if (a.gweight) own.gweight = parts.data() + piece * step;
    if (a.gbias) own.gbias = parts.data() + piece * step + n;
    s.rows_grad(spec, own, b, e);
  });
  if (a.gweight) combine(parts, 0, step, n, a.gweight);
  if (a.gbias) combine(parts, n, step, n, a.gbias);
}

double weight_at(Dtype d, const void* w, std::int64_t c, double missing) {
  if (!w) return missing;
  return d == Dtype::float64 ? static_cast<const double*>(w)[c] : static_cast<double>(static_cast<const float*>(w)[c]);
}

/// The whole map of a channel norm.
struct Affine {
  std::vector<double> scale, shift;
  ColumnAffine map;
  Affine(Dtype d, const ChannelNorm& spec, const NormArgs& a) {
    for (std::int64_t c = 0; c < spec.channels; ++c) scale.push_back(a.rstd[c] * weight_at(d, a.weight, c, 1)), shift.push_back(weight_at(d, a.bias, c, 0));
    map = {a.mean, scale.data(), shift.data(), spec.relu};
  }
};

void norm_columns(Dtype d, const ChannelNorm& spec, const NormArgs& a) {
  const auto& s = steps(d);
  const std::int64_t rows = spec.outer, n = spec.channels, size = piece_rows(rows, n), pieces = (rows + size - 1) / size;
  if (spec.batch) {
    std::vector<double> parts(static_cast<std::size_t>(pieces * 2 * n));
    for_pieces(rows, size, [&](std::int64_t p, std::int64_t b, std::int64_t e) {
      double* part = parts.data() + p * 2 * n;
      s.column_moments(offset(a.x, d, b * n), e - b, n, part, part + n);
    });
    for (std::int64_t c = 0; c < n; ++c) {
      fn::Moments<double> total{};
      for (std::int64_t p = 0; p < pieces; ++p) {
        const double* part = parts.data() + p * 2 * n + c;
        fn::join(total, static_cast<double>(p * size), fn::Moments<double>{part[0], part[n]}, static_cast<double>(std::min(size, rows - p * size)));
      }
      a.mean[c] = total.mean, a.rstd[c] = 1 / std::sqrt((total.square < 0 ? 0 : total.square) / static_cast<double>(rows) + spec.eps);
    }
  }
  const Affine f(d, spec, a);
  parallel_for(rows, size, [&](std::int64_t b, std::int64_t e) { s.columns_affine(offset(a.x, d, b * n), f.map, offset(a.y, d, b * n), e - b, n); });
}

void norm_columns_grad(Dtype d, const ChannelNorm& spec, const NormArgs& a) {
  const auto& s = steps(d);
  const std::int64_t rows = spec.outer, n = spec.channels, size = piece_rows(rows, n), pieces = (rows + size - 1) / size;
  const auto channels = static_cast<std::size_t>(n);
  const double count = static_cast<double>(rows);
  const Affine f(d, spec, a);
  std::vector<double> sum_g(channels), sum_gd(channels);
  if (spec.batch || a.gweight || a.gbias) {
    std::vector<double> parts(static_cast<std::size_t>(pieces * 2 * n));
    for_pieces(rows, size, [&](std::int64_t p, std::int64_t b, std::int64_t e) {
      double* part = parts.data() + p * 2 * n;
      s.column_grad_sums(offset(a.g, d, b * a.g_step), a.g_step, offset(a.x, d, b * n), f.map, e - b, n, part, part + n);
    });
    combine(parts, 0, 2 * n, n, sum_g.data());
    combine(parts, n, 2 * n, n, sum_gd.data());
  }
  std::vector<double> kb(channels), kc(channels);
  for (std::size_t i = 0; i < channels; ++i) {
    const double rstd = a.rstd[i];
    if (a.gweight) a.gweight[i] = sum_gd[i] * rstd;
    if (a.gbias) a.gbias[i] = sum_g[i];
    if (spec.batch) kb[i] = -f.scale[i] * rstd * rstd * sum_gd[i] / count, kc[i] = -f.scale[i] * sum_g[i] / count;
  }
  if (!a.gx) return;
  parallel_for(rows, size, [&](std::int64_t b, std::int64_t e) {
    s.columns_grad(offset(a.g, d, b * a.g_step), a.g_step, offset(a.x, d, b * n), f.map, f.scale.data(), kb.data(), kc.data(), offset(a.gx, d, b * n), e - b, n);
  });
}

void norm_channels(Dtype d, const ChannelNorm& spec, const NormArgs& a) {
  if (spec.inner == 1) return norm_columns(d, spec, a);
  const std::int64_t grain = std::max<std::int64_t>(1, kTask / std::max<std::int64_t>(spec.outer * spec.inner, 1));
  parallel_for(spec.channels, grain, [&](std::int64_t b, std::int64_t e) { steps(d).planes(spec, a, b, e); });
}
void norm_channels_grad(Dtype d, const ChannelNorm& spec, const NormArgs& a) {
  if (spec.inner == 1) return norm_columns_grad(d, spec, a);
  const std::int64_t grain = std::max<std::int64_t>(1, kTask / std::max<std::int64_t>(spec.outer * spec.inner, 1));
  parallel_for(spec.channels, grain, [&](std::int64_t b, std::int64_t e) { steps(d).planes_grad(spec, a, b, e); });
}

}  // namespace

void add_norm(NormKernels& k) {
  k.norm_rows = &norm_rows;
  k.norm_rows_grad = &norm_rows_grad;
  k.norm_channels = &norm_channels;
  k.norm_channels_grad = &norm_channels_grad;
}

}  // namespace rill::cpu

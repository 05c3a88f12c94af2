// Embedding and bags of embeddings: rows taken by index (autograd/rows.h), and bags as rows that are added up at their bag's place.
#include <rill/ops/embedding.h>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "autograd/binary.h"
#include "autograd/rows.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

std::optional<std::int64_t> check_table(const char* op, const Tensor& weight, const Tensor& index, std::optional<std::int64_t> padding) {
  check_defined(op, weight, "the weight");
  check<ShapeError>(impl(weight).shape.rank() == 2, op, "the weight {} has rank {}; expected [entries, features]", describe(weight), impl(weight).shape.rank());
  check_defined(op, index, "the index");
  check_same_device(op, weight, index);
  if (!padding) return padding;
  const std::int64_t n = impl(weight).shape[0];
  check<ValueError>(*padding >= -n && *padding < n, op, "padding_idx {} is outside the table of {} entries; valid are {} to {}", *padding, n, -n, n - 1);
  return *padding < 0 ? *padding + n : *padding;
}

/// g without the rows that were taken from `padding`.
Tensor without_padding(const Tensor& g, const Places& p, std::int64_t padding) {
  return masked_fill(g, unsqueeze(reshape(eq(p.at, padding), p.picks), -1), 0);
}

/// g divided by how often each row was taken.
Tensor by_frequency(const Tensor& g, const Places& p) {
  const Options like{.dtype = Dtype::int64, .device = g.device()};
  const Tensor counts = index_add(zeros({p.merged_size()}, like), 0, p.at, ones({p.at.numel()}, like));
  return g / unsqueeze(reshape(index_select(counts, 0, p.at), p.picks), -1).to(g.dtype());
}

Tensor look_up(const char* op, const Tensor& weight, const Tensor& index, std::optional<std::int64_t> padding, bool frequency = false) {
  const AxisIndex which{index, 0, impl(weight).shape[0]};
  const Places p = places(op, weight, 0, {&which, 1}, false);
  if (!padding && !frequency) return take_rows(op, weight, p);
  Tensor out = take_rows(op, weight.detach(), p);
  return record(op, std::move(out), grad(weight, [op, p, padding, frequency](const Tensor& g) {
    const Tensor kept = padding ? without_padding(g, p, *padding) : g;
    return spread_rows(op, frequency ? by_frequency(kept, p) : kept, p);
  }));
}

}  // namespace

Tensor embedding(const Tensor& weight, const Tensor& index, std::optional<std::int64_t> padding_idx, bool scale_grad_by_freq) {
  const OpRange here("embedding", weight, index);
  constexpr const char* op = "embedding";
  const auto padding = check_table(op, weight, index, padding_idx);
  return look_up(op, weight, index_values(op, index), padding, scale_grad_by_freq);
}

const Tensor& embedding_renorm_(const Tensor& weight, const Tensor& index, double max_norm, double p) {
  const OpRange here("embedding_renorm_", weight, index);
  constexpr const char* op = "embedding_renorm_";
  check_table(op, weight, index, {});
  check<DtypeError>(is_floating(weight.dtype()), op, "the weight has dtype {}; expected a floating dtype", weight.dtype());
  check<ValueError>(max_norm > 0 && p > 0, op, "max_norm is {} and p is {}; both must be positive", max_norm, p);
  NoGrad off;
  const Tensor table = weight.detach(), rows = look_up(op, table, reshape(index_values(op, index), {-1}), {});
  if (rows.numel() == 0) return weight;
  constexpr double kTiny = 1e-7;  // keeps the scaled norm below the limit in spite of rounding
  const Tensor length = norm(rows.to(compute_dtype(rows.dtype())), p, {1}, true);
  const Tensor scaled = where(gt(length, max_norm), rows * (max_norm / (length + kTiny)), rows).to(weight.dtype());
  index_put_(table, {Index(reshape(index, {-1}).to(Dtype::int64))}, scaled);  // equal indices write equal rows
  return weight;
}

namespace {

constexpr const char* kBag = "embedding_bag";

/// The bag of each index, and the number of bags.
Tensor bags_of(const Tensor& index, const Tensor& offsets, bool include_last, std::int64_t& count) {
  const std::int64_t n = impl(index).numel;
  std::vector<std::int64_t> bag(static_cast<std::size_t>(n));
  if (index.dim() == 2) {
    check<ValueError>(!offsets.defined(), kBag, "a rank-2 index has one bag per row; pass no offsets");
    count = index.size(0);
    for (std::int64_t i = 0; i < n; ++i) bag[static_cast<std::size_t>(i)] = i / index.size(1);
    return tensor(bag, {.device = index.device()});
  }
  check<ShapeError>(index.dim() == 1, kBag, "the index has shape {}; expected rank 1 with offsets, or rank 2", impl(index).shape);
  check_defined(kBag, offsets, "offsets");
  check<ShapeError>(offsets.dim() == 1, kBag, "the offsets have shape {}; expected rank 1", offsets.shape());
  const auto start = index_values(kBag, offsets).to_vector<std::int64_t>();
  check<ValueError>(!include_last || !start.empty(), kBag, "there are no offsets; with include_last_offset there is at least one");
  count = static_cast<std::int64_t>(start.size()) - (include_last ? 1 : 0);
  for (std::size_t b = 0; b < start.size(); ++b) {
    check<ValueError>(b > 0 || start[b] == 0, kBag, "the first offset is {}; it must be 0", start[b]);
    check<ValueError>(b == 0 || start[b] >= start[b - 1], kBag, "offset {} at {} is below the one before, {}; offsets must not decrease", start[b], b, b ? start[b - 1] : 0);
    check<ValueError>(start[b] <= n, kBag, "offset {} at {} is beyond the {} indices", start[b], b, n);
  }
  check<ValueError>(!include_last || start.back() == n, kBag, "the last offset is {}; with include_last_offset it must be the number of indices, {}", include_last ? start.back() : 0, n);
  check<ValueError>(count > 0 || n == 0, kBag, "{} indices belong to no bag; pass an offset", n);
  for (std::int64_t b = 0; b < count; ++b) {
    const std::int64_t end = b + 1 < static_cast<std::int64_t>(start.size()) ? start[static_cast<std::size_t>(b) + 1] : n;
    for (std::int64_t i = start[static_cast<std::size_t>(b)]; i < end; ++i) bag[static_cast<std::size_t>(i)] = b;
  }
  return tensor(bag, {.device = index.device()});
}

/// The largest value of each bag and feature; the first of several gets the gradient. Empty bags give 0.
Tensor largest(const Tensor& rows, const Tensor& bag, const Tensor& empty) {
  const std::int64_t n = rows.size(0);
  const Options index{.dtype = Dtype::int64, .device = rows.device()};
  const Tensor to = expand(unsqueeze(bag, -1), rows.shape()), values = rows.detach();
  const Tensor top = gather(scatter_reduce(empty, 0, to, values, ScatterReduce::amax, false), 0, to);
  const Tensor place = where(logical_or(eq(values, top), isnan(values)), unsqueeze(arange(n, index), -1), n);
  const Tensor first = scatter_reduce(full(empty.shape(), n, index), 0, to, place, ScatterReduce::amin);
  return gather(cat({rows, zeros({1, rows.size(1)}, {.dtype = rows.dtype(), .device = rows.device()})}), 0, first);
}

}  // namespace

Tensor embedding_bag(const Tensor& weight, const Tensor& index, const Tensor& offsets, const EmbeddingBagOptions& o) {
  const OpRange here("embedding_bag", weight, index, offsets);
  const auto padding = check_table(kBag, weight, index, o.padding_idx);
  check<DtypeError>(is_floating(weight.dtype()), kBag, "weight has dtype {}; expected a floating dtype", weight.dtype());
  check<ValueError>(!o.scale_grad_by_freq || o.mode != BagMode::max, kBag, "scale_grad_by_freq does not go with mode max");
  const Tensor values = index_values(kBag, index);
  std::int64_t count = 0;
  Tensor bag = bags_of(values, offsets, o.include_last_offset, count);
  Tensor flat = reshape(values, {-1}), factors = o.per_sample_weights;
  if (factors.defined()) {
    check<ValueError>(o.mode == BagMode::sum, kBag, "per_sample_weights go with mode sum only");
    check<ShapeError>(factors.shape() == index.shape(), kBag, "per_sample_weights have shape {}, the index {}; they must be equal", factors.shape(), index.shape());
    factors = reshape(factors, {-1});
  }
  if (padding) {  // padding rows leave their bags
    const AxisIndex which{flat, 0, impl(weight).shape[0]};
    places(kBag, weight, 0, {&which, 1}, false);
    const Tensor keep = ne(flat, *padding);
    flat = masked_select(flat, keep), bag = masked_select(bag, keep);
    if (factors.defined()) factors = masked_select(factors, keep);
  }
  Tensor rows = look_up(kBag, weight, flat, {}, o.scale_grad_by_freq);
  if (factors.defined()) rows = rows * unsqueeze(factors, -1);
  const Options like{.dtype = weight.dtype(), .device = weight.device()};
  const Tensor empty = zeros({count, weight.size(1)}, like);
  if (o.mode == BagMode::max) return largest(rows, bag, empty);
  const Tensor total = index_add(empty, 0, bag, rows);
  if (o.mode == BagMode::sum) return total;
  const Tensor members = index_add(zeros({count}, like), 0, bag, ones({flat.numel()}, like));
  return total / unsqueeze(maximum(members, ones({}, like)), -1);
}

}  // namespace rill

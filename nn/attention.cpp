#include <rill/nn/attention.h>

#include <array>
#include <limits>

#include <rill/nn/init.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include "nn/arguments.h"

namespace rill::nn {
namespace {

using Int = std::int64_t;
constexpr const char* kOp = "MultiheadAttention";

Int checked_heads(Int embed_dim, Int heads) {
  check_size(kOp, "embed_dim", embed_dim), check_size(kOp, "num_heads", heads);
  check<ValueError>(embed_dim % heads == 0, kOp, "embed_dim {} cannot be split into {} heads; use a divisor", embed_dim, heads);
  return heads;
}

/// A mask as what may be seen: bool, true takes part, or floating, to be added.
Tensor visible(const char* name, const Tensor& mask, const Tensor& like) {
  check<DtypeError>(mask.dtype() == boolean || mask.is_floating_point(), kOp, "{} is {}; expected bool (true is blocked) or a floating dtype (added)", name, describe(mask));
  return mask.dtype() == boolean ? logical_not(mask) : mask.to(like.dtype());
}
/// Both masks in one.
Tensor both(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  if (a.dtype() == boolean && b.dtype() == boolean) return logical_and(a, b);
  const auto added = [](const Tensor& m, const Tensor& other) {
    return m.dtype() == boolean ? where(m, zeros({}, {.dtype = other.dtype(), .device = other.device()}), -std::numeric_limits<double>::infinity()) : m;
  };
  return added(a, b) + added(b, a);
}
/// One more key at the end that everyone sees.
Tensor widened(const Tensor& mask) {
  if (!mask.defined()) return mask;
  Shape shape = mask.shape();
  shape[shape.rank() - 1] = 1;
  const Options like{.dtype = mask.dtype(), .device = mask.device()};
  return cat({mask, mask.dtype() == boolean ? ones(shape, like) : zeros(shape, like)}, -1);
}

}  // namespace

MultiheadAttention::MultiheadAttention(Int embed, Int heads, const MultiheadAttentionOptions& o)
    : embed_dim(embed), num_heads(checked_heads(embed, heads)), options(o), out_proj(embed, embed, {.bias = o.bias, .tensor = o.tensor}) {
  check_probability(kOp, o.dropout);
  const Int kdim = o.kdim.value_or(embed), vdim = o.vdim.value_or(embed);
  check_size(kOp, "kdim", kdim), check_size(kOp, "vdim", vdim);
  const auto drawn = [&](const Shape& shape) {
    Parameter p(empty(shape, o.tensor));
    init::xavier_uniform_(p);
    return p;
  };
  if (kdim == embed && vdim == embed) in_proj_weight = drawn({3 * embed, embed});
  else q_proj_weight = drawn({embed, embed}), k_proj_weight = drawn({embed, kdim}), v_proj_weight = drawn({embed, vdim});
  if (o.bias) {
    in_proj_bias = Parameter(zeros({3 * embed}, o.tensor));
    init::zeros_(out_proj.bias);
  }
  if (!o.add_bias_kv) return;
  bias_k = Parameter(empty({1, 1, embed}, o.tensor)), bias_v = Parameter(empty({1, 1, embed}, o.tensor));
  init::xavier_normal_(bias_k), init::xavier_normal_(bias_v);
}

void MultiheadAttention::parts(Parts& p) {
  p.mode(training);
  p("in_proj_weight", in_proj_weight)("q_proj_weight", q_proj_weight)("k_proj_weight", k_proj_weight)("v_proj_weight", v_proj_weight)("in_proj_bias", in_proj_bias);
  p("bias_k", bias_k)("bias_v", bias_v)("out_proj", out_proj);
}
std::string MultiheadAttention::describe() const { return "MultiheadAttention()"; }

Int MultiheadAttention::flops(const Tensor& query, const Tensor&) const {
  const Int rows = query.numel() / embed_dim, length = query.size(query.dim() == 3 && options.batch_first ? 1 : 0);
  return 2 * rows * embed_dim * (embed_dim + options.kdim.value_or(embed_dim) + options.vdim.value_or(embed_dim)) + 4 * rows * length * embed_dim;
}

/// What scaled_dot_product_attention takes, [.., L, S]; undefined when everything is seen.
Tensor MultiheadAttention::mask(const AttentionCall& call, Int rows, Int queries, Int keys, const Tensor& like) const {
  Tensor result;
  if (call.attn_mask.defined()) {
    const Shape flat{queries, keys}, per_head{rows * num_heads, queries, keys};
    check<ShapeError>(call.attn_mask.shape() == flat || call.attn_mask.shape() == per_head, kOp, "attn_mask has shape {}, expected {} or {}", call.attn_mask.shape(), flat, per_head);
    result = visible("attn_mask", call.attn_mask, like);
    if (result.dim() == 3) result = unflatten(result, 0, {rows, num_heads});
  }
  if (call.is_causal) result = both(result, causal_mask(queries, keys, like.device()));
  if (call.key_padding_mask.defined()) {
    const Shape expected{rows, keys};
    check<ShapeError>(call.key_padding_mask.shape() == expected, kOp, "key_padding_mask has shape {}, expected {}", call.key_padding_mask.shape(), expected);
    result = both(result, visible("key_padding_mask", call.key_padding_mask, like).unsqueeze(1).unsqueeze(1));
  }
  return result;
}

/// All batch first.
AttentionResult MultiheadAttention::attend(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionCall& call) const {
  const Int rows = query.size(0), queries = query.size(1);
  Tensor seen = mask(call, rows, queries, key.size(1), query), q, k, v;
  if (in_proj_weight.defined() && query.is_same(key) && key.is_same(value)) {
    const auto projected = chunk(linear(query, in_proj_weight, in_proj_bias), 3, -1);
    q = projected[0], k = projected[1], v = projected[2];
  } else {
    const auto part = [&](const Tensor& packed, Int i) { return packed.defined() ? narrow(packed, 0, i * embed_dim, embed_dim) : packed; };
    q = linear(query, in_proj_weight.defined() ? part(in_proj_weight, 0) : Tensor(q_proj_weight), part(in_proj_bias, 0));
    k = linear(key, in_proj_weight.defined() ? part(in_proj_weight, 1) : Tensor(k_proj_weight), part(in_proj_bias, 1));
    v = linear(value, in_proj_weight.defined() ? part(in_proj_weight, 2) : Tensor(v_proj_weight), part(in_proj_bias, 2));
  }
  const auto append = [&](const Tensor& more_k, const Tensor& more_v) {
    const Shape one{rows, 1, embed_dim};
    k = cat({k, more_k.expand(one)}, 1), v = cat({v, more_v.expand(one)}, 1), seen = widened(seen);
  };
  if (bias_k.defined()) append(bias_k, bias_v);
  if (options.add_zero_attn) {
    const Tensor zero = zeros({1, 1, embed_dim}, {.dtype = k.dtype(), .device = k.device()});
    append(zero, zero);
  }
  const auto heads = [&](const Tensor& t) { return transpose(unflatten(t, -1, {num_heads, embed_dim / num_heads}), 1, 2); };  // [N, heads, length, features]
  const AttentionOptions o{.attn_mask = seen, .dropout_p = training ? options.dropout : 0};
  AttentionResult r;
  Tensor y;
  if (call.need_weights) {
    r.weights = attention_weights(heads(q), heads(k), o);
    y = matmul(r.weights, heads(v));
    if (call.average_attn_weights) r.weights = mean(r.weights, {1});
  } else {
    y = scaled_dot_product_attention(heads(q), heads(k), heads(v), o);
  }
  r.output = out_proj(flatten(transpose(y, 1, 2), 2, 3));
  return r;
}

AttentionResult MultiheadAttention::operator()(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionCall& o) const {
  return call(query, [&](const Tensor& query) -> AttentionResult {
    const bool self = key.is_same(query) && value.is_same(query);
    check_defined(kOp, query, "the query"), check_defined(kOp, key, "the key"), check_defined(kOp, value, "the value");
    const int rank = static_cast<int>(query.dim());
    check<ShapeError>(rank == 3 || rank == 2, kOp, "the query {} has rank {}; expected {}, or [L, E] without a batch", rill::describe(query), rank, options.batch_first ? "[N, L, E]" : "[L, N, E]");
    const std::array<Int, 3> features{embed_dim, options.kdim.value_or(embed_dim), options.vdim.value_or(embed_dim)};
    const std::array<const Tensor*, 3> given{&query, &key, &value};
    const char* names[] = {"query", "key", "value"};
    for (std::size_t i = 0; i < 3; ++i) {
      check<ShapeError>(given[i]->dim() == rank, kOp, "the {} {} has rank {}, the query {}", names[i], rill::describe(*given[i]), given[i]->dim(), rill::describe(query));
      check<ShapeError>(given[i]->size(-1) == features[i], kOp, "the {} {} has {} features, expected {}", names[i], rill::describe(*given[i]), given[i]->size(-1), features[i]);
    }
    const bool batched = rank == 3, swapped = batched && !options.batch_first;
    const auto first = [&](const Tensor& t) { return !batched ? t.unsqueeze(0) : swapped ? transpose(t, 0, 1) : t; };
    const Tensor q = first(query), k = self ? q : first(key), v = self ? q : key.is_same(value) ? k : first(value);
    check<ShapeError>(k.size(0) == q.size(0) && v.size(0) == q.size(0), kOp, "batches differ: query {}, key {}, value {}", rill::describe(query), rill::describe(key), rill::describe(value));
    check<ShapeError>(k.size(1) == v.size(1), kOp, "the key {} and the value {} have different lengths", rill::describe(key), rill::describe(value));
    AttentionCall own = o;
    if (!batched && o.key_padding_mask.defined()) own.key_padding_mask = o.key_padding_mask.unsqueeze(0);
    AttentionResult r = attend(q, k, v, own);
    if (!batched) r.output = r.output.squeeze(0);
    if (!batched && r.weights.defined()) r.weights = r.weights.squeeze(0);
    if (swapped) r.output = transpose(r.output, 0, 1);
    return r;
  });
}

}  // namespace rill::nn

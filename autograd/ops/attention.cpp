// Attention: made of public ops, and in blocks of queries where it is causal or large, with neither a mask nor dropout.
#include <rill/ops/attention.h>

#include <cmath>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/create.h>
#include <rill/ops/dropout.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/softmax.h>
#include <rill/ops/view.h>

#include "autograd/attention_blocks.h"
#include "autograd/autocast.h"
#include "autograd/elementwise.h"
#include "autograd/products.h"
#include "autograd/record.h"
#include "autograd/recorded_gradients.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

constexpr std::int64_t kManyScores = 1 << 25;
constexpr double kBlocked = -std::numeric_limits<double>::infinity();

void check_operand(const char* op, const char* name, const Tensor& t, const Tensor& q) {
  check_defined(op, t, name);
  check_same_device(op, q, t);
  check<DtypeError>(is_floating(impl(t).dtype), op, "{} is {}; expected a floating dtype", name, describe(t));
  check<DtypeError>(impl(t).dtype == impl(q).dtype, op, "{} is {}, q is {}; convert one with .to()", name, impl(t).dtype, impl(q).dtype);
  check<ShapeError>(t.dim() >= 2, op, "{} {} has rank {}; expected [.., length, features]", name, describe(t), t.dim());
}

/// a b for heads of a that share those of b in groups; without groups: the plain product.
Tensor product(const char* op, const Tensor& a, const Tensor& b, bool grouped) {
  if (!grouped) return matmul(a, b);
  check<ShapeError>(a.dim() >= 3 && b.dim() >= 3 && b.size(-3) > 0 && a.size(-3) % b.size(-3) == 0, op, "enable_gqa needs heads of q that are a multiple of those of k and v, got {} and {}",
                    describe(a), describe(b));
  return flatten(matmul(unflatten(a, -3, {b.size(-3), a.size(-3) / b.size(-3)}), b.unsqueeze(-3)), -4, -3);
}

void check_features(const char* op, const Tensor& q, const Tensor& k) {
  check<ShapeError>(q.size(-1) == k.size(-1), op, "q {} has {} features, k {} has {}", describe(q), q.size(-1), describe(k), k.size(-1));
}

double scale_of(const Tensor& q, const AttentionOptions& o) { return o.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1)))); }

Tensor weights(const char* op, const Tensor& q, const Tensor& k, const AttentionOptions& o) {
  check_operand(op, "q", q, q), check_operand(op, "k", k, q);
  check_features(op, q, k);
  check<ValueError>(o.dropout_p >= 0 && o.dropout_p <= 1, op, "dropout_p is {}, outside [0, 1]", o.dropout_p);
  check<ValueError>(!(o.is_causal && o.attn_mask.defined()), op, "is_causal is set beside a mask; put causal_mask() into the mask instead");
  const Tensor& mask = o.attn_mask;
  if (mask.defined()) {
    check_same_device(op, q, mask);
    check<DtypeError>(is_floating(mask.dtype()) || mask.dtype() == boolean, op, "attn_mask is {}; expected bool (true takes part) or a floating dtype (added)", describe(mask));
  }
  Tensor scores = product(op, q * scale_of(q, o), k.mT(), o.enable_gqa);
  const auto check_fits = [&](const Tensor& m) {
    const Shape& s = scores.shape();
    bool fits = m.dim() <= s.rank();
    for (int i = 1; fits && i <= m.dim(); ++i) fits = m.size(-i) == 1 || m.size(-i) == s[s.rank() - i];
    check<ShapeError>(fits, op, "attn_mask {} does not broadcast to the scores {}", describe(m), s);
  };
  Tensor dead;  // queries for which nothing takes part
  if (o.is_causal || (mask.defined() && mask.dtype() == boolean)) {
    const Tensor allowed = o.is_causal ? causal_mask(q.size(-2), k.size(-2), q.device()) : mask.dim() ? mask : mask.unsqueeze(0);
    check_fits(allowed);
    if (!o.is_causal) dead = logical_not(any(allowed, -1, true));
    scores = masked_fill(scores, logical_not(dead.defined() ? logical_or(allowed, dead) : allowed), kBlocked);
  } else if (mask.defined()) {
    check_fits(mask);
    scores = scores + mask.to(scores.dtype());
    dead = logical_not(any(gt(mask.detach().dim() ? mask.detach() : mask.detach().unsqueeze(0), kBlocked), -1, true));
    scores = masked_fill(scores, dead, 0);
  }
  Tensor w = softmax(scores, -1);
  if (dead.defined()) w = masked_fill(w, dead, 0);
  return o.dropout_p > 0 ? dropout(w, o.dropout_p) : w;
}

/// 16-bit floats are widened first and the result is rounded once.
Tensor attend(const char* op, const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  const Dtype dtype = q.dtype(), compute = compute_dtype(dtype);
  return product(op, weights(op, q.to(compute), k.to(compute), o), v.to(compute), o.enable_gqa).to(dtype);
}

/// Blocks compute the weights twice, which pays where a causal mask leaves half of them out, where keeping them would take too much memory, and
/// where products of 16 bits are the faster ones.
bool fits_blocks(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  if (o.attn_mask.defined() || o.dropout_p != 0 || o.enable_gqa || q.dim() != k.dim() || q.dim() != v.dim()) return false;
  for (std::int64_t a = 0; a + 2 < q.dim(); ++a)
    if (q.size(a) != k.size(a) || q.size(a) != v.size(a)) return false;
  if (q.numel() == 0 || k.numel() == 0 || v.numel() == 0) return false;
  return o.is_causal || fast_16bit_products(q) || q.numel() / q.size(-1) * k.size(-2) > kManyScores;
}

AttentionBlocks blocks_of(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  const NoGrad off;
  if (fast_16bit_products(q)) return {q.detach(), k.detach(), v.detach(), scale_of(q, o), o.is_causal};
  const auto wide = [](const Tensor& t) { return t.detach().to(compute_dtype(t.dtype())); };
  return {wide(q) * scale_of(q, o), wide(k), wide(v), 1, o.is_causal};
}

Tensor attend_in_blocks(const char* op, const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  check_features(op, q, k);
  Tensor out = blocks_of(q, k, v, o).forward().to(q.dtype());
  if (!recording(q, k, v)) return out;
  const Tensor inputs[] = {q, k, v};
  record_many(op, inputs, std::span(&out, 1), [op, o, q = save(q), k = save(k), v = save(v)](std::span<Tensor> g, GradSink& sink) {
    const std::vector<Tensor> in = {q(), k(), v()};
    if (recording_any(in, g)) return recorded_gradients([&](const std::vector<Tensor>& x) { return std::vector<Tensor>{attend(op, x[0], x[1], x[2], o)}; }, in, g);
    const NoGrad off;
    const AttentionBlocks blocks = blocks_of(in[0], in[1], in[2], o);
    std::vector<Tensor> r = blocks.gradients(g[0].detach().to(blocks.q.dtype()), {sink.wants(0), sink.wants(1), sink.wants(2)});
    if (blocks.scale == 1 && r[0].defined()) r[0] = r[0] * scale_of(in[0], o);
    for (Tensor& t : r)
      if (t.defined()) t = t.to(in[0].dtype());
    return r;
  });
  return out;
}

}  // namespace

Tensor causal_mask(std::int64_t queries, std::int64_t keys, Device device) {
  const OpRange here("causal_mask");
  check<ValueError>(queries >= 0 && keys >= 0, "causal_mask", "sizes are {} queries and {} keys; neither may be negative", queries, keys);
  return ge(arange(queries, {.device = device}).unsqueeze(1), arange(keys, {.device = device}));
}

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& o) {
  if (amp::on()) [[unlikely]] return amp::low(&attention_weights, q, k, o);
  const OpRange here("attention_weights", q, k);
  constexpr const char* op = "attention_weights";
  check_defined(op, q, "q");
  const Dtype dtype = q.dtype(), compute = compute_dtype(dtype);
  return compute == dtype ? weights(op, q, k, o) : weights(op, q.to(compute), k.defined() && k.dtype() == dtype ? k.to(compute) : k, o).to(dtype);
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& o) {
  if (amp::on()) [[unlikely]] return amp::low(&scaled_dot_product_attention, q, k, v, o);
  const OpRange here("scaled_dot_product_attention", q, k, v);
  constexpr const char* op = "scaled_dot_product_attention";
  check_operand(op, "q", q, q), check_operand(op, "k", k, q), check_operand(op, "v", v, q);
  check<ShapeError>(k.size(-2) == v.size(-2), op, "k {} has {} keys, v {} has {} values", describe(k), k.size(-2), describe(v), v.size(-2));
  return fits_blocks(q, k, v, o) ? attend_in_blocks(op, q, k, v, o) : attend(op, q, k, v, o);
}

}  // namespace rill

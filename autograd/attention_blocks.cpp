#include "autograd/attention_blocks.h"

#include <algorithm>
#include <limits>

#include <rill/autograd/grad_mode.h>
#include <rill/ops/attention.h>
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/view.h>

#include "autograd/elementwise.h"
#include "backends/api/backend.h"

namespace rill {
namespace {

using Int = std::int64_t;

constexpr Int kScores = 1 << 21;  // at a time: they stay in the last cache of a CPU
constexpr Int kLeastQueries = 64;

Tensor rows(const Tensor& t, Int first, Int count) { return narrow(t, -2, first, count); }

void multiply(const Tensor& a, const Tensor& b, const Tensor& out, bool accumulate) { kernels(out).gemm(view(a), view(b), view(out), accumulate); }

Tensor matrices_like(const Tensor& t, Int height, Int width, Dtype dtype) {
  Shape s = t.shape();
  s[s.rank() - 2] = height, s[s.rank() - 1] = width;
  return make_tensor(s, dtype, t.device());
}
Tensor dense_like(const Tensor& t, Dtype dtype) { return matrices_like(t, t.size(-2), t.size(-1), dtype); }

}  // namespace

std::vector<AttentionBlocks::Block> AttentionBlocks::blocks() const {
  const Int queries = q.size(-2), keys = k.size(-2), heads = q.numel() / (queries * q.size(-1));
  const Int height = std::max(kLeastQueries, kScores / (heads * keys));
  std::vector<Block> list;
  for (Int i = 0; i < queries; i += height) {
    const Int n = std::min(height, queries - i);
    list.push_back({i, n, causal ? std::min(keys, i + n) : keys});
  }
  return list;
}

Tensor AttentionBlocks::weights(const Block& b) const {
  const Tensor w = matrices_like(q, b.queries, b.keys, compute_dtype(q.dtype()));
  multiply(rows(q, b.first, b.queries), rows(k, 0, b.keys).mT(), w, false);
  if (scale != 1) w.mul_(scale);
  if (causal && b.keys > b.first) {
    const Int width = b.keys - b.first;
    masked_fill_(narrow(w, -1, b.first, width), logical_not(causal_mask(b.queries, width, w.device())), -std::numeric_limits<double>::infinity());
  }
  kernels(w).softmax(view(w), static_cast<int>(w.dim() - 1), false, view(w));
  return w;
}

Tensor AttentionBlocks::forward() const {
  const NoGrad off;
  const Tensor out = matrices_like(q, q.size(-2), v.size(-1), q.dtype());
  for (const Block& b : blocks()) multiply(weights(b).to(q.dtype()), rows(v, 0, b.keys), rows(out, b.first, b.queries), false);
  return out;
}

std::vector<Tensor> AttentionBlocks::gradients(const Tensor& g, const bool (&wants)[3]) const {
  const NoGrad off;
  std::vector<Block> list = blocks();
  std::reverse(list.begin(), list.end());  // the last block sees all keys that any sees
  const bool unseen = list.front().keys < k.size(-2);
  const Dtype dtype = q.dtype(), compute = compute_dtype(dtype);
  const auto sums = [&](const Tensor& t) { return unseen ? zeros(t.shape(), {.dtype = compute, .device = t.device()}) : dense_like(t, compute); };
  const Tensor dq = wants[0] ? dense_like(q, dtype) : Tensor(), dk = wants[1] ? sums(k) : Tensor(), dv = wants[2] ? sums(v) : Tensor();
  for (const Block& b : list) {
    const bool add = &b != &list.front();
    const Tensor w = weights(b), gradient = rows(g, b.first, b.queries);
    if (wants[2]) multiply(w.to(dtype).mT(), gradient, rows(dv, 0, b.keys), add);
    if (!wants[0] && !wants[1]) continue;
    const Tensor wide = dense_like(w, compute);
    multiply(gradient, rows(v, 0, b.keys).mT(), wide, false);
    kernels(wide).softmax_gradient(view(wide), view(w), static_cast<int>(wide.dim() - 1), false, view(wide));
    if (scale != 1) wide.mul_(scale);
    const Tensor s = wide.to(dtype);
    if (wants[0]) multiply(s, rows(k, 0, b.keys), rows(dq, b.first, b.queries), false);
    if (wants[1]) multiply(s.mT(), rows(q, b.first, b.queries), rows(dk, 0, b.keys), add);
  }
  return {dq, dk.defined() ? dk.to(dtype) : dk, dv.defined() ? dv.to(dtype) : dv};
}

}  // namespace rill

// What rows do with memory: layouts, purity, sharing, in-place forms, versions, and what is left when an allocation fails.
#include "test/support/catch.h"

#include <cstdlib>
#include <new>

#include "lib/core/memory_pool.h"
#include "lib/core/tensor_impl.h"
#include "test/ops/table/catalogue.h"

// The n-th request to operator new on this thread fails when this is n; 0: none does.
static thread_local std::int64_t t_fail_new = 0;

void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {  // also asked by std::stable_sort; must fit to the deletes below
  if (t_fail_new > 0 && --t_fail_new == 0) return nullptr;
  return std::malloc(bytes ? bytes : 1);
}
void* operator new(std::size_t bytes) {
  if (void* p = operator new(bytes, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace rill::optable {
namespace {

/// FNV-1a over all bytes of the storage: also what lies between and behind the elements.
std::uint64_t hash_of(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  const auto& s = *impl(t).storage;
  for (std::size_t i = 0; i < s.bytes; ++i) h = (h ^ static_cast<std::uint64_t>(s.data[i])) * 0x100000001b3ull;
  return h;
}
std::vector<std::uint64_t> hash_of(const Args& args) {
  std::vector<std::uint64_t> all;
  for (const Tensor& t : args) all.push_back(hash_of(t));
  return all;
}

// ---- the same values in another layout -------------------------------------------------------------------------------------------

Tensor sliced_out_of_poison(const Tensor& x) {
  if (x.dim() == 0) return x;
  Shape big = x.shape();
  for (auto& s : big) s = 2 * s + 3;
  Tensor store = full(big, is_floating(x.dtype()) ? Scalar(std::nan("")) : Scalar(0x5A), {.dtype = x.dtype()});
  Tensor window = store;
  for (int a = 0; a < x.dim(); ++a) window = slice(window, a, Slice(1, 1 + 2 * x.size(a), 2));
  window.copy_(x);
  return window;
}
Tensor reversed_strides(const Tensor& x) {
  Dims order;
  for (std::int64_t a = x.dim(); a-- > 0;) order.push_back(a);
  return permute(permute(x, order).contiguous(), order);
}
Tensor with_offset(const Tensor& x) {  // one element behind the aligned start
  const Tensor store = full({x.numel() + 1}, 1, {.dtype = x.dtype()});
  const Tensor shifted = store.narrow(0, 1, x.numel()).view(x.shape());
  shifted.copy_(x);
  return shifted;
}
Tensor channels_innermost(const Tensor& x) { return x.dim() >= 3 && x.dim() <= 5 ? x.contiguous(MemoryFormat::channels_last) : x; }

Args tracked(const Row& row, std::uint64_t seed) {
  Args args = draw_inputs(row.inputs, usual_dtype(row, true), seed);
  for (const Tensor& a : args)
    if (is_floating(a.dtype())) a.requires_grad_();
  return args;
}
Args leaves_of(const Args& args) {
  Args leaves;
  for (const Tensor& a : args)
    if (a.requires_grad()) leaves.push_back(a);
  return leaves;
}
Args gradients(const Tensor& out, const Args& leaves) { return grad({sum(out)}, leaves, {}, {.retain_graph = true, .allow_unused = true}); }
bool same_gradients(const Args& a, const Args& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].defined() != b[i].defined() || (a[i].defined() && !same_bits(a[i], b[i]))) return false;
  return true;
}

}  // namespace

TEST_CASE("layouts give the values of contiguous inputs, and inputs stay as they were", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Args args = draw_inputs(row.inputs, usual_dtype(row, true), 5);
    const Tensor want = row.run(args);
    int layout = 0;
    for (auto change : {sliced_out_of_poison, reversed_strides, with_offset, channels_innermost}) {
      INFO("layout " << layout++);
      Args changed;
      for (const Tensor& a : args) changed.push_back(change(a));
      const auto before = hash_of(changed);
      const Tensor out = row.run(changed);
      if (row.elementwise || !is_floating(out.dtype())) CHECK(same_bits(out, want));
      else CHECK(allclose(out, want, 1e-12, 1e-12, true));
      CHECK(hash_of(changed) == before);
    }
    // one value for the whole first axis
    Args flat, copies;
    bool possible = !args.empty();
    for (const Tensor& a : args) possible &= a.dim() > 0 && a.size(0) > 0 && is_floating(a.dtype());
    if (!possible || !row.whole) continue;
    for (const Tensor& a : args) flat.push_back(expand(a.narrow(0, 0, 1), a.shape())), copies.push_back(flat.back().contiguous().clone());
    Tensor from_flat, from_copies;
    try { from_copies = row.run(copies); } catch (const Error&) { continue; }  // a singular matrix, say
    CHECK(allclose(row.run(flat), from_copies, 1e-12, 1e-12, true));
  }
}

TEST_CASE("views share memory, other results do not", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    const Args args = draw_inputs(row.inputs, usual_dtype(row), 6);
    if (args.empty()) continue;
    const auto before = hash_of(args);
    const Tensor out = row.run(args);
    if (out.numel() == 0) continue;
    out.detach().copy_(full(out.shape(), 77, {.dtype = out.dtype()}));
    if (row.view) CHECK(hash_of(args)[0] != before[0]);
    else CHECK(hash_of(args) == before);
  }
}

TEST_CASE("in-place forms equal the others and raise the version", "[table]") {
  int seen = 0;
  for (const Row& row : rows()) {
    if (!row.in_place) continue;
    ++seen;
    INFO(row.name);
    for (const Dtype dtype : dtypes_of(row.kinds & (row.result == Result::same ? kAll : kReal))) {
      const Args args = draw_inputs(row.inputs, dtype, 7);
      const Tensor want = row.run(args);
      Args changed = args;
      changed[0] = args[0].clone();
      const Tensor seen_through = changed[0].view({-1});
      const auto version = changed[0].version();
      row.in_place(changed);
      CHECK(same_bits(changed[0], want));
      CHECK(same_bits(seen_through, want.reshape({-1})));  // views see the change
      CHECK(changed[0].version() > version);
    }
    if (!row.differentiable || !(row.kinds & kFloats)) continue;
    Args leaves = tracked(row, 7), copies = leaves;  // on the tape: the gradient is that of the other form
    copies[0] = leaves[0] * 1;
    row.in_place(copies);
    CHECK(same_gradients(gradients(copies[0], leaves_of(leaves)), gradients(row.run(leaves), leaves_of(leaves))));
  }
  CHECK(seen > 60);
}

TEST_CASE("an in-place form whose other operand overlaps reads it before it is written", "[table]") {
  int seen = 0;
  for (const Row& row : rows()) {
    if (!row.in_place || !row.elementwise || row.inputs.size() < 2 || row.inputs[0].dtype || row.inputs[1].dtype) continue;
    ++seen;
    INFO(row.name);
    const Dtype dtype = usual_dtype(row, true);
    Input both = row.inputs[0];
    both.low = std::max(both.low, row.inputs[1].low), both.high = std::min(both.high, row.inputs[1].high);
    if (!(both.low < both.high)) both = row.inputs[1];
    Draw draw(14);
    const Tensor store = make_input(both, {8}, dtype, draw);
    Args args = {store.narrow(0, 0, 7), store.narrow(0, 1, 7)}, copies;
    while (args.size() < row.inputs.size()) args.push_back(make_input(row.inputs[args.size()], {7}, dtype, draw));
    for (const Tensor& a : args) copies.push_back(a.clone());
    row.in_place(args);
    CHECK(same_bits(args[0], row.run(copies)));
  }
  CHECK(seen > 9);
}

TEST_CASE("an input that is changed before backward is noticed or was not needed", "[table]") {
  int noticed = 0;
  for (const Row& row : rows()) {
    if (!row.differentiable || !(row.kinds & kFloats) || row.view) continue;
    INFO(row.name);
    const Args leaves = tracked(row, 8);
    const Args want = gradients(row.run(leaves), leaves_of(leaves));
    for (std::size_t k = 0; k < leaves.size(); ++k) {
      if (!leaves[k].requires_grad()) continue;
      Args inputs = leaves;
      inputs[k] = leaves[k] * 1;
      const Tensor out = row.run(inputs);
      {
        NoGrad off;
        inputs[k].mul_(3).add_(1);
      }
      std::string message;
      Args have;
      try {
        have = gradients(out, leaves_of(leaves));
      } catch (const GradError& e) {
        message = e.what();
      }
      INFO("input " << k << ": " << message);
      if (message.empty()) CHECK(same_gradients(have, want));
      else CHECK((message.find("was changed in place before backward() (version 2, saved at 0)") != std::string::npos && ++noticed));
    }
  }
  CHECK(noticed > 100);
}

namespace {

/// Lets the 1st, 2nd, ... allocation of `run` fail until it succeeds. `arm(n)` makes the n-th one fail, `arm(0)` none.
template <class Arm> void sweep(const Row& row, Arm arm) {
  const Args args = tracked(row, 9);
  const Tensor graph = row.run(args), want = graph.detach().clone();
  const bool differentiable = row.differentiable && graph.requires_grad();
  const Args leaves = leaves_of(args), before = differentiable ? gradients(graph, leaves) : Args{};
  const auto bytes = hash_of(args);
  std::vector<std::uint32_t> versions;
  for (const Tensor& a : args) versions.push_back(a.version());
  for (std::int64_t n = 1;; ++n) {
    INFO("allocation " << n);
    const auto live = pool::counters();
    bool failed = false;
    {
      Tensor out;
      arm(n);
      try {
        out = row.run(args);
      } catch (const OutOfMemory&) {
        failed = true;
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      arm(0);
      if (!failed) CHECK(same_bits(out, want));
    }
    const auto now = pool::counters();
    CHECK(now.live_bytes == live.live_bytes);
    CHECK(now.live_nodes == live.live_nodes);
    if (!failed) break;
  }
  CHECK(hash_of(args) == bytes);
  for (std::size_t k = 0; k < args.size(); ++k) CHECK(args[k].version() == versions[k]);
  if (differentiable) CHECK(same_gradients(gradients(graph, leaves), before));  // earlier graphs still differentiate
  CHECK(same_bits(row.run(args).detach(), want));
}

}  // namespace

TEST_CASE("a tensor allocation that fails leaves everything as it was", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    sweep(row, [](std::int64_t n) { pool::fail_allocation(n); });
  }
}

TEST_CASE("a request to operator new that fails leaves everything as it was", "[table]") {
  for (const Row& row : rows()) {
    INFO(row.name);
    sweep(row, [](std::int64_t n) { t_fail_new = n; });
  }
}

}  // namespace rill::optable

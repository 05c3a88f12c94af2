// Reductions, norms, scans, order statistics and the softmax family against PyTorch: test/oracle/reduce_goldens.py.
#include "test/support/derivative_goldens.h"

#include <rill/ops/softmax.h>
#include <rill/ops/sort.h>

using namespace rill;

namespace {

List both(const ValuesIndices& r) { return {r.values, r.indices}; }
List both(const std::pair<Tensor, Tensor>& r) { return {r.first, r.second}; }

/// Arguments: a list of axes, keepdim.
template <class F> RunGolden axes(F f) {
  return [f](const Golden& g, const List& x) -> List { return {f(x[0], g.list(0), g.integer(1) != 0)}; };
}
/// One axis or, for an empty list, all elements.
template <class F, class All> RunGolden axis(F f, All all) {
  return [f, all](const Golden& g, const List& x) -> List {
    if (g.list(0).empty()) return {all(x[0])};
    if constexpr (std::is_same_v<decltype(f(x[0], 0, false)), ValuesIndices>) return both(f(x[0], g.list(0)[0], g.integer(1) != 0));
    else return {f(x[0], g.list(0)[0], g.integer(1) != 0)};
  };
}
VarOptions correction(const Golden& g) { return {.correction = g.number(2), .keepdim = g.integer(1) != 0}; }

#define RILL_CALL(op) [](auto&&... a) { return rill::op(a...); }
#define RILL_AXES(op) {#op, axes(RILL_CALL(op))}
#define RILL_AXIS(op) {#op, axis(RILL_CALL(op), RILL_CALL(op))}
#define RILL_SCAN(op) {#op, [](auto& g, auto& x) -> List { return {rill::op(x[0], g.integer(0))}; }}

const std::map<std::string, RunGolden> kOps = {
    RILL_AXES(sum), RILL_AXES(mean), RILL_AXES(nansum), RILL_AXES(nanmean), RILL_AXES(amax), RILL_AXES(amin), RILL_AXES(logsumexp),
    RILL_AXIS(prod), RILL_AXIS(max), RILL_AXIS(min), RILL_AXIS(argmax), RILL_AXIS(argmin), RILL_AXIS(all), RILL_AXIS(any), RILL_AXIS(median), RILL_AXIS(nanmedian),
    RILL_SCAN(cumsum), RILL_SCAN(cumprod), RILL_SCAN(logcumsumexp), RILL_SCAN(softmax), RILL_SCAN(log_softmax), RILL_SCAN(softmin),
    {"var", [](auto& g, auto& x) -> List { return {var(x[0], g.list(0), correction(g))}; }},
    {"std", [](auto& g, auto& x) -> List { return {rill::std(x[0], g.list(0), correction(g))}; }},
    {"var_mean", [](auto& g, auto& x) { return both(var_mean(x[0], g.list(0), correction(g))); }},
    {"std_mean", [](auto& g, auto& x) { return both(std_mean(x[0], g.list(0), correction(g))); }},
    {"aminmax", [](auto&, auto& x) { return both(aminmax(x[0])); }},
    {"count_nonzero", [](auto& g, auto& x) -> List { return {count_nonzero(x[0], g.list(0))}; }},
    {"norm", [](auto& g, auto& x) -> List { return {norm(x[0], g.number(0), g.list(1), g.integer(2) != 0)}; }},
    {"cummax", [](auto& g, auto& x) { return both(cummax(x[0], g.integer(0))); }},
    {"cummin", [](auto& g, auto& x) { return both(cummin(x[0], g.integer(0))); }},
    {"diff", [](auto& g, auto& x) -> List { return {diff(x[0], g.integer(0), g.integer(1))}; }},
    {"mode", [](auto& g, auto& x) { return both(mode(x[0], g.list(0)[0], g.integer(1) != 0)); }},
    {"kthvalue", [](auto& g, auto& x) { return both(kthvalue(x[0], g.integer(2), g.list(0)[0], g.integer(1) != 0)); }},
    {"quantile", [](auto& g, auto& x) -> List {
       return {g.list(0).empty() ? quantile(x[0], g.number(2)) : quantile(x[0], g.number(2), g.list(0)[0], g.integer(1) != 0)};
     }},
    {"renorm", [](auto& g, auto& x) -> List { return {renorm(x[0], g.number(0), g.integer(1), g.number(2))}; }},
    {"argsort", [](auto& g, auto& x) -> List { return {argsort(x[0], g.integer(0), g.integer(1) != 0)}; }},
};

Within values(const Golden& g) {
  switch (g.sections.at("")[0].dtype()) {
    case bfloat16: return {0x1p-8, 0};
    case float16: return {0x1p-11, 0};
    case float32: return {4e-7, 1e-7};
    default: return {2e-15, 1e-15};
  }
}

}  // namespace

TEST_CASE("reductions, scans and order statistics agree with PyTorch up to the second derivative", "[ops][golden]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/reduce_goldens.txt", kOps, {.outputs = values, .derivatives = [](auto&) { return Within{1e-13, 1e-13}; }});
}

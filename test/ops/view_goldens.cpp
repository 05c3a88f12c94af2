// Views and functions that only rearrange, against PyTorch up to the second derivative: test/oracle/view_goldens.py.
#include "test/support/derivative_goldens.h"

#include <rill/ops/view.h>

using namespace rill;

namespace {

Slice slice_of(const Golden& g) {
  const auto bound = [&](std::size_t k) { return g.arguments[k] == "-" ? std::optional<std::int64_t>() : g.integer(k); };
  return {bound(1), bound(2), g.integer(3)};
}
bool has_arguments(const Golden& g) { return g.arguments.size() > 1; }  // besides the marks

const std::map<std::string, RunGolden> kOps = {
    {"view", [](auto& g, auto& x) -> List { return {view(x[0].contiguous(), g.list(0))}; }},  // only some strides allow it
    {"reshape", [](auto& g, auto& x) -> List { return {reshape(x[0], g.list(0))}; }},
    {"flatten", [](auto& g, auto& x) -> List { return {flatten(x[0], g.integer(0), g.integer(1))}; }},
    {"unflatten", [](auto& g, auto& x) -> List { return {unflatten(x[0], g.integer(0), g.list(1))}; }},
    {"expand", [](auto& g, auto& x) -> List { return {expand(x[0], g.list(0))}; }},
    {"broadcast_to", [](auto& g, auto& x) -> List { return {broadcast_to(x[0], g.list(0))}; }},
    {"broadcast_tensors", [](auto&, auto& x) { return broadcast_tensors(x); }},
    {"transpose", [](auto& g, auto& x) -> List { return {transpose(x[0], g.integer(0), g.integer(1))}; }},
    {"swapaxes", [](auto& g, auto& x) -> List { return {swapaxes(x[0], g.integer(0), g.integer(1))}; }},
    {"permute", [](auto& g, auto& x) -> List { return {permute(x[0], g.list(0))}; }},
    {"movedim", [](auto& g, auto& x) -> List { return {movedim(x[0], g.list(0), g.list(1))}; }},
    {"squeeze", [](auto& g, auto& x) -> List { return {has_arguments(g) ? squeeze(x[0], g.list(0)) : squeeze(x[0])}; }},
    {"unsqueeze", [](auto& g, auto& x) -> List { return {unsqueeze(x[0], g.integer(0))}; }},
    {"select", [](auto& g, auto& x) -> List { return {select(x[0], g.integer(0), g.integer(1))}; }},
    {"narrow", [](auto& g, auto& x) -> List { return {narrow(x[0], g.integer(0), g.integer(1), g.integer(2))}; }},
    {"slice", [](auto& g, auto& x) -> List { return {slice(x[0], g.integer(0), slice_of(g))}; }},
    {"diagonal", [](auto& g, auto& x) -> List { return {diagonal(x[0], g.integer(0), g.integer(1), g.integer(2))}; }},
    {"unfold", [](auto& g, auto& x) -> List { return {unfold(x[0], g.integer(0), g.integer(1), g.integer(2))}; }},
    {"as_strided", [](auto& g, auto& x) -> List { return {as_strided(x[0].contiguous(), g.list(0), g.list(1), g.integer(2))}; }},
};

}  // namespace

TEST_CASE("views agree with PyTorch up to the second derivative", "[ops][golden]") {
  const auto exact = [](const Golden&) { return Within{}; };
  check_goldens(RILL_SOURCE_DIR "/test/ops/view_goldens.txt", kOps, {.outputs = exact, .derivatives = exact});
}

// The ops of rill/ops/index.h and rill/ops/shape.h against PyTorch, with first and second derivatives: test/oracle/index_goldens.py.
#include "test/support/derivative_goldens.h"

#include <rill/ops/index.h>
#include <rill/ops/linalg.h>

using namespace rill;

namespace {

Scalar scalar(const Golden& g, std::size_t k, const Tensor& x) { return x.dtype() == boolean ? Scalar(g.integer(k) != 0) : Scalar(g.integer(k)); }

const std::map<std::string, RunGolden> kOps = {
    {"gather", [](auto& g, auto& x) -> List { return {gather(x[0], g.integer(0), x[1])}; }},
    {"scatter", [](auto& g, auto& x) -> List { return {scatter(x[0], g.integer(0), x[1], x[2])}; }},
    {"scatter_value", [](auto& g, auto& x) -> List { return {scatter(x[0], g.integer(0), x[1], scalar(g, 1, x[0]))}; }},
    {"scatter_add", [](auto& g, auto& x) -> List { return {scatter_add(x[0], g.integer(0), x[1], x[2])}; }},
    {"scatter_reduce", [](auto& g, auto& x) -> List { return {scatter_reduce(x[0], g.integer(0), x[1], x[2], static_cast<ScatterReduce>(g.integer(1)), g.integer(2))}; }},
    {"index_select", [](auto& g, auto& x) -> List { return {index_select(x[0], g.integer(0), x[1])}; }},
    {"index_add", [](auto& g, auto& x) -> List { return {index_add(x[0], g.integer(0), x[1], x[2], g.integer(1))}; }},
    {"index_copy", [](auto& g, auto& x) -> List { return {index_copy(x[0], g.integer(0), x[1], x[2])}; }},
    {"index_fill", [](auto& g, auto& x) -> List { return {index_fill(x[0], g.integer(0), x[1], scalar(g, 1, x[0]))}; }},
    {"take", [](auto&, auto& x) -> List { return {take(x[0], x[1])}; }},
    {"take_along_dim", [](auto& g, auto& x) -> List { return {take_along_dim(x[0], x[1], g.integer(0))}; }},
    {"masked_fill", [](auto& g, auto& x) -> List { return {masked_fill(x[0], x[1], scalar(g, 0, x[0]))}; }},
    {"masked_select", [](auto&, auto& x) -> List { return {masked_select(x[0], x[1])}; }},
    {"masked_scatter", [](auto&, auto& x) -> List { return {masked_scatter(x[0], x[1], x[2])}; }},
    {"nonzero", [](auto&, auto& x) -> List { return {nonzero(x[0])}; }},
    {"where", [](auto&, auto& x) -> List { return where(x[0]); }},
    {"one_hot", [](auto& g, auto& x) -> List { return {one_hot(x[0], g.integer(0))}; }},
    {"cat", [](auto& g, auto& x) -> List { return {cat(x, g.integer(0))}; }},
    {"stack", [](auto& g, auto& x) -> List { return {stack(x, g.integer(0))}; }},
    {"hstack", [](auto&, auto& x) -> List { return {hstack(x)}; }},
    {"vstack", [](auto&, auto& x) -> List { return {vstack(x)}; }},
    {"dstack", [](auto&, auto& x) -> List { return {dstack(x)}; }},
    {"split", [](auto& g, auto& x) -> List { return split(x[0], g.integer(0), g.integer(1)); }},
    {"split_with_sizes", [](auto& g, auto& x) -> List { return split_with_sizes(x[0], g.list(0), g.integer(1)); }},
    {"chunk", [](auto& g, auto& x) -> List { return chunk(x[0], g.integer(0), g.integer(1)); }},
    {"tensor_split", [](auto& g, auto& x) -> List { return tensor_split(x[0], g.integer(0), g.integer(1)); }},
    {"unbind", [](auto& g, auto& x) -> List { return unbind(x[0], g.integer(0)); }},
    {"repeat", [](auto& g, auto& x) -> List { return {repeat(x[0], g.list(0))}; }},
    {"tile", [](auto& g, auto& x) -> List { return {tile(x[0], g.list(0))}; }},
    {"repeat_interleave_flat", [](auto& g, auto& x) -> List { return {repeat_interleave(x[0], g.integer(0))}; }},
    {"repeat_interleave", [](auto& g, auto& x) -> List { return {repeat_interleave(x[0], g.integer(0), g.integer(1))}; }},
    {"repeat_interleave_tensor", [](auto& g, auto& x) -> List { return {repeat_interleave(x[0], x[1], g.integer(0))}; }},
    {"flip", [](auto& g, auto& x) -> List { return {flip(x[0], g.list(0))}; }},
    {"roll_flat", [](auto& g, auto& x) -> List { return {roll(x[0], g.integer(0))}; }},
    {"roll", [](auto& g, auto& x) -> List { return {roll(x[0], g.list(0), g.list(1))}; }},
    {"rot90", [](auto& g, auto& x) -> List { return {rot90(x[0], g.integer(0), g.integer(1), g.integer(2))}; }},
    {"tril", [](auto& g, auto& x) -> List { return {tril(x[0], g.integer(0))}; }},
    {"triu", [](auto& g, auto& x) -> List { return {triu(x[0], g.integer(0))}; }},
    {"diag", [](auto& g, auto& x) -> List { return {diag(x[0], g.integer(0))}; }},
    {"diag_embed", [](auto& g, auto& x) -> List { return {diag_embed(x[0], g.integer(0))}; }},
    {"meshgrid", [](auto&, auto& x) -> List { return meshgrid(x); }},
    {"atleast_2d", [](auto&, auto& x) -> List { return atleast_2d(x); }},
    {"block_diag", [](auto&, auto& x) -> List { return {block_diag(x)}; }},
    {"pixel_shuffle", [](auto& g, auto& x) -> List { return {pixel_shuffle(x[0], g.integer(0))}; }},
    {"pixel_unshuffle", [](auto& g, auto& x) -> List { return {pixel_unshuffle(x[0], g.integer(0))}; }},
    {"channel_shuffle", [](auto& g, auto& x) -> List { return {channel_shuffle(x[0], g.integer(0))}; }},
    {"column_stack", [](auto&, auto& x) -> List { return {column_stack(x)}; }},
    {"tensor_split_at", [](auto& g, auto& x) -> List { return tensor_split(x[0], g.list(0), g.integer(1)); }},
    {"meshgrid_xy", [](auto&, auto& x) -> List { return meshgrid(x, GridIndexing::xy); }},
    {"cartesian_prod", [](auto&, auto& x) -> List { return {cartesian_prod(x)}; }},
    {"combinations", [](auto& g, auto& x) -> List { return {combinations(x[0], g.integer(0), {.with_replacement = g.integer(1) == 1})}; }},
    {"atleast_1d", [](auto&, auto& x) -> List { return atleast_1d(x); }},
    {"atleast_3d", [](auto&, auto& x) -> List { return atleast_3d(x); }},
    {"vander", [](auto& g, auto& x) -> List { return {vander(x[0], {.columns = g.integer(0), .increasing = g.integer(1) == 1})}; }},
    {"tril_indices", [](auto& g, auto&) -> List { return {tril_indices(g.integer(0), g.integer(1), g.integer(2))}; }},
    {"triu_indices", [](auto& g, auto&) -> List { return {triu_indices(g.integer(0), g.integer(1), g.integer(2))}; }},
};

}  // namespace

TEST_CASE("indexing, joining and reordering agree with PyTorch up to the second derivative", "[ops][index][shape]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/index_goldens.txt", kOps);
}

// Sampling at free positions against PyTorch (test/oracle/nn_goldens.py).
#include <rill/ops/grid.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

using namespace rill;

namespace {

const std::map<std::string, RunGolden> kOps = {
    {"grid_sample",
     [](auto& g, auto& x) -> List {
       const GridMode modes[] = {GridMode::linear, GridMode::nearest, GridMode::cubic};
       return {grid_sample(x[0], x[1], {.mode = modes[g.integer(0)], .padding = static_cast<GridPadding>(g.integer(1)), .align_corners = g.integer(2) == 1})};
     }},
    {"affine_grid", [](auto& g, auto& x) -> List { return {affine_grid(x[0], g.list(0), {.align_corners = g.integer(1) == 1})}; }},
};

}  // namespace

TEST_CASE("sampling at free positions agrees with PyTorch", "[ops][grid]") { check_goldens(RILL_SOURCE_DIR "/test/ops/grid_goldens.txt", kOps); }

TEST_CASE("the identity gives x back, and NaN only where the position is NaN", "[ops][grid]") {
  const Tensor x = sin(arange(24, {.dtype = float64})).reshape({1, 2, 3, 4});
  const Tensor theta = tensor({{{1., 0., 0.}, {0., 1., 0.}}}, {.dtype = float64});
  for (const bool align : {false, true})
    for (const GridMode mode : {GridMode::linear, GridMode::nearest, GridMode::cubic})
      CHECK(allclose(grid_sample(x, affine_grid(theta, x.shape(), {.align_corners = align}), {.mode = mode, .align_corners = align}), x, 1e-12, 1e-12));
  const Tensor far = tensor({{{{std::nan(""), 0.}, {1e300, -1e300}, {std::numeric_limits<double>::infinity(), 0.}}}}, {.dtype = float64});
  for (const GridMode mode : {GridMode::linear, GridMode::nearest}) {
    const auto y = grid_sample(x, far, {.mode = mode}).to_vector<double>();
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == 0);
    CHECK(y[2] == 0);
  }
}

TEST_CASE("sampling keeps channels-last, takes empty batches and gives the grid of nearest a gradient of 0", "[ops][grid]") {
  const Tensor x = ones({2, 3, 4, 5}), grid = zeros({2, 6, 7, 2}).requires_grad_();
  CHECK(grid_sample(x.contiguous(MemoryFormat::channels_last), grid).is_contiguous(MemoryFormat::channels_last));
  CHECK(grid_sample(x, grid).is_contiguous());
  CHECK(grid_sample(ones({0, 3, 4, 5}), zeros({0, 6, 7, 2})).shape() == Shape{0, 3, 6, 7});
  CHECK(grid_sample(ones({1, 0, 4, 5}), zeros({1, 6, 7, 2})).shape() == Shape{1, 0, 6, 7});
  CHECK(grid_sample(x, zeros({2, 0, 7, 2})).shape() == Shape{2, 3, 0, 7});
  grid_sample(x, grid, {.mode = GridMode::nearest}).sum().backward();
  CHECK(abs(grid.grad()).sum().item<double>() == 0);
}

TEST_CASE("sampling says what does not fit", "[ops][grid]") {
  const Tensor x = ones({2, 3, 4, 5}), grid = zeros({2, 6, 7, 2});
  CHECK(MESSAGE(ShapeError, grid_sample(x, zeros({1, 6, 7, 2}))) == "grid_sample: x [2, 3, 4, 5] needs a grid of rank 4 with 2 first and 2 last, got [1, 6, 7, 2]");
  CHECK(MESSAGE(ShapeError, grid_sample(ones({3, 4}), grid)) == "grid_sample: takes x [N, C, H, W] or [N, C, D, H, W], got [3, 4]");
  CHECK(MESSAGE(ShapeError, grid_sample(ones({2, 3, 0, 5}), grid)) == "grid_sample: axis 2 of x [2, 3, 0, 5] is empty; at least one element is needed");
  CHECK(MESSAGE(ShapeError, grid_sample(ones({2, 3, 4, 5, 6}), zeros({2, 1, 1, 1, 3}), {.mode = GridMode::cubic})) == "grid_sample: mode cubic takes x of rank 4, got [2, 3, 4, 5, 6]");
  CHECK(MESSAGE(DtypeError, grid_sample(x, grid.to(float64))) == "grid_sample: x has dtype float32 and the grid float64; convert one with .to()");
  CHECK(MESSAGE(DtypeError, grid_sample(x.to(int64), grid)) == "grid_sample: int64 is not supported (expected a floating dtype); convert with .to()");
  CHECK(MESSAGE(ShapeError, affine_grid(ones({1, 2, 3}), {1, 1, 4})) == "affine_grid: takes a size [N, C, H, W] or [N, C, D, H, W], got [1, 1, 4]");
  CHECK(MESSAGE(ShapeError, affine_grid(ones({1, 2, 3}), {2, 1, 4, 4})) == "affine_grid: size [2, 1, 4, 4] needs theta [2, 2, 3], got [1, 2, 3]");
  CHECK(MESSAGE(ShapeError, affine_grid(ones({1, 2, 3}), {1, 1, 0, 4})) == "affine_grid: axis 2 of the size [1, 1, 0, 4] is empty; at least one element is needed");
  CHECK(MESSAGE(DtypeError, affine_grid(ones({1, 2, 3}, {.dtype = int64}), {1, 1, 4, 4})) == "affine_grid: int64 is not supported (expected a floating dtype); convert with .to()");
}

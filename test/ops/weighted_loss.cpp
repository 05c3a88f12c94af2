// tf.losses and its neighbours against TensorFlow (test/oracle/tf_losses.py).
#include <rill/ops/weighted_loss.h>

#include <rill/ops/linalg.h>
#include <rill/ops/sort.h>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

using namespace rill;

namespace {

const std::map<std::string, RunGolden> kOps = {
    {"weighted_loss",
     [](auto& g, auto& x) -> List {
       using enum WeightedReduction;
       const WeightedReduction reductions[] = {none, WeightedReduction::sum, WeightedReduction::mean, mean_nonzero_weight, weighted_mean};
       return {weighted_loss(x[0], x[1], reductions[g.integer(0)])};
     }},
    {"mean_squared_error", [](auto&, auto& x) -> List { return {weighted_loss(mse_loss(x[0], x[1], Reduction::none), x[2])}; }},
    {"hinge_loss", [](auto&, auto& x) -> List { return {hinge_loss(x[0], x[1], Reduction::none)}; }},
    {"log_loss", [](auto&, auto& x) -> List { return {log_loss(x[0], x[1], 1e-7, Reduction::none)}; }},
    {"cosine_distance", [](auto& g, auto& x) -> List { return {cosine_distance(x[0], x[1], g.integer(0), Reduction::none)}; }},
    {"mean_pairwise_squared_error", [](auto&, auto& x) -> List { return {mean_pairwise_squared_error(x[0], x[1])}; }},
    {"weighted_cross_entropy",
     [](auto& g, auto& x) -> List { return {binary_cross_entropy_with_logits(x[0], x[1], {.pos_weight = full({}, g.number(0), {.dtype = float64}), .reduction = Reduction::none})}; }},
    {"log_poisson_loss", [](auto& g, auto& x) -> List { return {poisson_nll_loss(x[0], x[1], {.full = g.integer(0) == 1, .reduction = Reduction::none})}; }},
    {"in_top_k", [](auto& g, auto& x) -> List { return {in_top_k(x[0], x[1], g.integer(0))}; }},
    {"bias_add", [](auto& g, auto& x) -> List { return {bias_add(x[0], x[1], g.integer(0) ? 1 : -1)}; }},
};

}  // namespace

TEST_CASE("weighted losses agree with TensorFlow", "[ops][loss]") { check_goldens(RILL_SOURCE_DIR "/test/ops/weighted_loss_goldens.txt", kOps); }

TEST_CASE("tf.losses: what a weighted loss is divided by", "[ops][loss]") {
  using enum WeightedReduction;
  const Tensor l = tensor({{1., 2.}, {3., 4.}}), w = tensor({{2.}, {0.}});
  CHECK(weighted_loss(l, w, none).to_vector<double>() == std::vector<double>{2, 4, 0, 0});
  CHECK(weighted_loss(l, w, WeightedReduction::sum).item<double>() == 6);
  CHECK(weighted_loss(l, w, WeightedReduction::mean).item<double>() == 1.5);
  CHECK(weighted_loss(l, w).item<double>() == 3);  // two elements have a weight that is not 0
  CHECK(weighted_loss(l, w, weighted_mean).item<double>() == 1.5);
  CHECK(weighted_loss(l).item<double>() == 2.5);
  for (const auto reduction : {WeightedReduction::sum, WeightedReduction::mean, mean_nonzero_weight, weighted_mean}) CHECK(weighted_loss(l, zeros({1}), reduction).item<double>() == 0);
  CHECK(weighted_loss(zeros({0})).item<double>() == 0);
  CHECK(MESSAGE(ShapeError, weighted_loss(l, ones({3}))).starts_with("weighted_loss: shapes [3] and [2, 2] do not broadcast"));
  CHECK(MESSAGE(ShapeError, weighted_loss(ones({2}), l)) == "weighted_loss: the weight has shape [2, 2], which does not broadcast to the input [2]");
}

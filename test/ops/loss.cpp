// Losses.
#include <rill/ops/loss.h>

#include "test/support/derivative_goldens.h"

using namespace rill;

namespace {

Reduction reduction(const Golden& g) { return static_cast<Reduction>(g.integer(0)); }
template <class F> RunGolden pair_loss(F f) {
  return [f](auto& g, auto& x) -> List { return {f(x[0], x[1], reduction(g))}; };
}

const std::map<std::string, RunGolden> kOps = {
    {"mse_loss", pair_loss(mse_loss)},
    {"l1_loss", pair_loss(l1_loss)},
    {"soft_margin_loss", pair_loss(soft_margin_loss)},
    {"multilabel_margin_loss", pair_loss(multilabel_margin_loss)},
    {"smooth_l1_loss", [](auto& g, auto& x) -> List { return {smooth_l1_loss(x[0], x[1], g.number(1), reduction(g))}; }},
    {"huber_loss", [](auto& g, auto& x) -> List { return {huber_loss(x[0], x[1], g.number(1), reduction(g))}; }},
    {"binary_cross_entropy", [](auto& g, auto& x) -> List { return {binary_cross_entropy(x[0], x[1], optional(x[2]), reduction(g))}; }},
    {"binary_cross_entropy_with_logits",
     [](auto& g, auto& x) -> List { return {binary_cross_entropy_with_logits(x[0], x[1], {.weight = optional(x[2]), .pos_weight = optional(x[3]), .reduction = reduction(g)})}; }},
    {"kl_div",
     [](auto& g, auto& x) -> List {
       const bool batch = g.integer(0) == 3;
       return {kl_div(x[0], x[1], {.log_target = g.integer(1) == 1, .batch_mean = batch, .reduction = batch ? Reduction::mean : reduction(g)})};
     }},
    {"cosine_embedding_loss", [](auto& g, auto& x) -> List { return {cosine_embedding_loss(x[0], x[1], x[2], g.number(1), reduction(g))}; }},
    {"margin_ranking_loss", [](auto& g, auto& x) -> List { return {margin_ranking_loss(x[0], x[1], x[2], g.number(1), reduction(g))}; }},
    {"hinge_embedding_loss", [](auto& g, auto& x) -> List { return {hinge_embedding_loss(x[0], x[1], g.number(1), reduction(g))}; }},
    {"triplet_margin_loss",
     [](auto& g, auto& x) -> List { return {triplet_margin_loss(x[0], x[1], x[2], {.margin = g.number(1), .p = g.number(2), .swap = g.integer(3) == 1, .reduction = reduction(g)})}; }},
    {"multi_margin_loss",
     [](auto& g, auto& x) -> List { return {multi_margin_loss(x[0], x[1], {.p = static_cast<int>(g.integer(1)), .margin = g.number(2), .weight = optional(x[2]), .reduction = reduction(g)})}; }},
    {"multilabel_soft_margin_loss", [](auto& g, auto& x) -> List { return {multilabel_soft_margin_loss(x[0], x[1], optional(x[2]), reduction(g))}; }},
    {"poisson_nll_loss", [](auto& g, auto& x) -> List { return {poisson_nll_loss(x[0], x[1], {.log_input = g.integer(1) == 1, .full = g.integer(2) == 1, .reduction = reduction(g)})}; }},
    {"gaussian_nll_loss", [](auto& g, auto& x) -> List { return {gaussian_nll_loss(x[0], x[1], x[2], {.full = g.integer(1) == 1, .eps = g.number(2), .reduction = reduction(g)})}; }},
    {"cosine_similarity", [](auto& g, auto& x) -> List { return {cosine_similarity(x[0], x[1], g.integer(0), g.number(1))}; }},
    {"pairwise_distance", [](auto& g, auto& x) -> List { return {pairwise_distance(x[0], x[1], g.number(0), g.number(1), g.integer(2) == 1)}; }},
    {"normalize", [](auto& g, auto& x) -> List { return {normalize(x[0], g.number(0), g.integer(1), g.number(2))}; }},
};

}  // namespace

TEST_CASE("losses agree with PyTorch up to the second derivative", "[ops][loss]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/loss_goldens.txt", kOps);
}

// Losses.
#include <rill/ops/loss.h>
#include <rill/ops/softmax.h>

#include <algorithm>

#include "test/support/derivative_goldens.h"
#include "test/support/message.h"

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
    {"triplet_margin_with_distance_loss",
     [](auto& g, auto& x) -> List {
       return {triplet_margin_with_distance_loss(x[0], x[1], x[2], [](const Tensor& p, const Tensor& q) { return sum(abs(p - q), {-1}); },
                                                 {.margin = g.number(1), .swap = g.integer(2) == 1, .reduction = reduction(g)})};
     }},
    {"ctc_loss",
     [](auto& g, auto& x) -> List { return {ctc_loss(log_softmax(x[0]), x[1], x[2], x[3], {.blank = g.integer(1), .zero_infinity = g.integer(2) == 1, .reduction = reduction(g)})}; }},
    {"normalize", [](auto& g, auto& x) -> List { return {normalize(x[0], g.number(0), g.integer(1), g.number(2))}; }},
};

}  // namespace

TEST_CASE("losses agree with PyTorch up to the second derivative", "[ops][loss]") {
  check_goldens(RILL_SOURCE_DIR "/test/ops/loss_goldens.txt", kOps);
}

namespace {
/// The definition itself: the sum over all paths whose labels, repeats merged and blanks (0) left out, are the target.
double probability_by_paths(const std::vector<double>& p, int steps, int classes, const std::vector<int>& target) {
  int paths = 1;
  for (int t = 0; t < steps; ++t) paths *= classes;
  double total = 0;
  for (int path = 0; path < paths; ++path) {
    double product = 1;
    std::vector<int> spelled;
    for (int t = 0, rest = path, before = 0; t < steps; ++t, rest /= classes) {
      const int c = rest % classes;
      product *= p[static_cast<std::size_t>(t * classes + c)];
      if (c != 0 && c != before) spelled.push_back(c);
      before = c;
    }
    if (spelled == target) total += product;
  }
  return total;
}
}  // namespace

TEST_CASE("CTC sums over all paths", "[ops][loss]") {
  const Tensor logp = log_softmax(sin(arange(15, {.dtype = float64}) * 2.3).reshape({5, 1, 3}));
  const auto p = exp(logp).to_vector<double>();
  for (const std::vector<int>& target : {std::vector<int>{1}, {2, 1}, {1, 1}, {1, 2, 2}, {}}) {
    const auto n = static_cast<std::int64_t>(target.size());
    const Tensor labels = tensor(target).to(int64), loss = ctc_loss(logp, labels, tensor({5}), tensor({n}), {.reduction = Reduction::sum});
    CHECK(loss.item<double>() == Approx(-std::log(probability_by_paths(p, 5, 3, target))).epsilon(1e-12));
  }
}

TEST_CASE("the gradient of CTC is that of the log-probabilities themselves", "[ops][loss]") {
  // minus the probability of being at a label at a step: the gradients of a step add up to -1
  const Tensor logp = log_softmax(sin(arange(24, {.dtype = float64}) * 1.7).reshape({4, 2, 3})).detach().requires_grad_();
  ctc_loss(logp, tensor({{1, 2}, {1, 0}}), tensor({4, 3}), tensor({2, 1}), {.reduction = Reduction::sum}).backward();
  CHECK(allclose(sum(logp.grad(), {2}), tensor({{-1., -1.}, {-1., -1.}, {-1., -1.}, {-1., 0.}}, {.dtype = float64}), 1e-12));
  const Tensor x = log_softmax(zeros({2, 1, 3})).detach().requires_grad_();  // two equal labels need three steps
  const Tensor never = ctc_loss(x, tensor({1, 1}), tensor({2}), tensor({2}));
  CHECK(never.item<double>() == std::numeric_limits<double>::infinity());
  never.backward();
  CHECK(isnan(x.grad()).to(int64).sum().item<int>() > 0);
  x.set_grad({});
  const Tensor none = ctc_loss(x, tensor({1, 1}), tensor({2}), tensor({2}), {.zero_infinity = true});
  CHECK(none.item<double>() == 0);
  none.backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>(6, 0));
  CHECK(MESSAGE(GradError, grad({ctc_loss(logp, tensor({1, 1}), tensor({4, 4}), tensor({1, 1}))}, {logp}, {}, {.create_graph = true})).find("ctc_loss") != std::string::npos);
}

TEST_CASE("losses stay finite at extreme inputs", "[ops][loss]") {
  const Tensor x = tensor({300., -300.}).requires_grad_(), y = tensor({-1., 1.});
  const Tensor soft = soft_margin_loss(x, y, Reduction::sum);
  CHECK(soft.item<double>() == 600);
  soft.backward();
  CHECK(x.grad().to_vector<double>() == std::vector<double>{1, -1});
  // the logarithms end at -100, and the slope at 0 and 1 is limited as in PyTorch: (x - y) / max(x (1 - x), 1e-12)
  const Tensor p = tensor({0., 1.}, {.dtype = float64}).requires_grad_();
  const Tensor cross = binary_cross_entropy(p, tensor({1., 0.}, {.dtype = float64}), {}, Reduction::sum);
  CHECK(cross.item<double>() == 200);
  cross.backward();
  CHECK(p.grad().to_vector<double>() == std::vector<double>{-1e12, 1e12});
}

TEST_CASE("integer and bool targets are converted, 16-bit losses are rounded once", "[ops][loss]") {
  const Tensor x = tensor({0.5, -1.25, 2.});
  CHECK(mse_loss(x, tensor({1, 0, 2})).item<double>() == Approx((0.25 + 1.5625) / 3));
  CHECK(binary_cross_entropy_with_logits(x, tensor({true, false, true})).item<double>() ==
        Approx((std::log1p(std::exp(-0.5)) + std::log1p(std::exp(-1.25)) + std::log1p(std::exp(-2.))) / 3));
  // 1000 squares of 1: a sum in bfloat16 would stop at 256
  const Tensor half = mse_loss(ones({1000}, {.dtype = bfloat16}), zeros({1000}, {.dtype = bfloat16}), Reduction::sum);
  CHECK(half.dtype() == bfloat16);
  CHECK(half.item<double>() == 1000);
}

TEST_CASE("the mean of no losses is NaN, their sum 0", "[ops][loss]") {
  CHECK(std::isnan(mse_loss(zeros({0}), zeros({0})).item<double>()));
  CHECK(mse_loss(zeros({0}), zeros({0}), Reduction::sum).item<double>() == 0);
  CHECK(binary_cross_entropy(zeros({0}), zeros({0}), {}, Reduction::none).numel() == 0);
}

TEST_CASE("losses say what is wrong", "[ops][loss]") {
  const Tensor x = full({2, 3}, 0.5), y = zeros({2, 1}), three = ones({3});
  CHECK(MESSAGE(ShapeError, mse_loss(x, y)) == "mse_loss: the target has shape [2, 1], the input [2, 3]; they must be equal, expand or reshape one");
  CHECK(MESSAGE(DtypeError, l1_loss(arange(3), three)) == "l1_loss: int64 is not supported (expected a floating dtype); convert with .to(float32)");
  CHECK(MESSAGE(ValueError, mse_loss(x, {})) == "mse_loss: the target is undefined; pass a tensor with values");
  CHECK(MESSAGE(ValueError, smooth_l1_loss(x, x, -1)) == "smooth_l1_loss: beta is -1; use 0 or more");
  CHECK(MESSAGE(ValueError, huber_loss(x, x, 0)) == "huber_loss: delta is 0; use a number above 0");
  CHECK(MESSAGE(ValueError, binary_cross_entropy(x * 4, x)) ==
        "binary_cross_entropy: the input has values from 2 to 2, expected probabilities in [0, 1]; use binary_cross_entropy_with_logits for logits");
  CHECK(MESSAGE(ShapeError, binary_cross_entropy(x, x, ones({2}))).starts_with("binary_cross_entropy: shapes [2] and [2, 3] do not broadcast"));
  CHECK(MESSAGE(ShapeError, binary_cross_entropy(three, three * 0, x)) == "binary_cross_entropy: the weight has shape [2, 3], which does not broadcast to the input [3]");
  CHECK(MESSAGE(ShapeError, cosine_embedding_loss(x, x, three)) == "cosine_embedding_loss: the target has shape [3], the inputs [2, 3]; expected [2]");
  CHECK(MESSAGE(IndexError, multi_margin_loss(x, tensor({0, 3}))).find("3") != std::string::npos);
  CHECK(MESSAGE(ValueError, multi_margin_loss(x, tensor({0, 1}), {.p = 3})) == "multi_margin_loss: p is 3; use 1 or 2");
  CHECK(MESSAGE(DtypeError, multi_margin_loss(x, ones({2}))) == "multi_margin_loss: the target is float32, expected int64 or int32 classes; convert with .to(int64)");
  CHECK(MESSAGE(IndexError, multilabel_margin_loss(three, tensor({0, -2, 1}))) == "multilabel_margin_loss: the target holds -2; expected classes, or -1 after the last one");
  const Tensor logp = zeros({4, 2, 3}), fours = tensor({4, 4}), ones_ = tensor({1, 1});
  CHECK(MESSAGE(ShapeError, ctc_loss(three, ones_, fours, ones_)) == "ctc_loss: log_probabilities have shape [3]; expected [T, N, C] or [T, C]");
  CHECK(MESSAGE(DtypeError, ctc_loss(logp.to(int64), ones_, fours, ones_)) == "ctc_loss: log_probabilities have dtype int64; expected a floating dtype");
  CHECK(MESSAGE(DtypeError, ctc_loss(logp, three, fours, ones_)) == "ctc_loss: targets have dtype float32, expected int64 or int32; convert with .to(int64)");
  CHECK(MESSAGE(ValueError, ctc_loss(logp, ones_, fours, ones_, {.blank = 3})) == "ctc_loss: blank is 3, but classes are 0 to 2");
  CHECK(MESSAGE(ShapeError, ctc_loss(logp, ones_, tensor({4}), ones_)) == "ctc_loss: 2 samples need 2 input_lengths and target_lengths, got 1 and 2");
  CHECK(MESSAGE(ShapeError, ctc_loss(logp, tensor({{1, 1}}), fours, ones_)) == "ctc_loss: targets have shape [1, 2]; expected [2, S] or all labels one after the other");
  CHECK(MESSAGE(ValueError, ctc_loss(logp, ones_, tensor({5, 4}), ones_)) == "ctc_loss: input length 5 of sample 0 is outside [0, 4], the steps there are");
  CHECK(MESSAGE(ValueError, ctc_loss(logp, ones_, fours, tensor({1, 3}))) == "ctc_loss: target length 3 of sample 1 is outside [0, 2], the labels there are");
  CHECK(MESSAGE(ShapeError, ctc_loss(logp, tensor({1, 1, 1}), fours, ones_)) == "ctc_loss: target_lengths add up to 2, but there are 3 labels");
  CHECK(MESSAGE(IndexError, ctc_loss(logp, tensor({1, 7}), fours, ones_)) == "ctc_loss: label 7 at position 0 of sample 1 is outside [0, 3)");
  CHECK(MESSAGE(ValueError, ctc_loss(logp, tensor({0, 1}), fours, ones_)) == "ctc_loss: label 0 at position 0 of sample 0 is the blank; targets hold no blanks");
  CHECK(MESSAGE(ValueError, triplet_margin_with_distance_loss(x, x, x, {})) == "triplet_margin_with_distance_loss: the distance is empty; pass a function of two tensors");
  CHECK(MESSAGE(ShapeError, gaussian_nll_loss(x, x, three)) == "gaussian_nll_loss: the variance has shape [3], the input [2, 3]; expected the same, or [2, 1] or [2]");
  CHECK(MESSAGE(ValueError, gaussian_nll_loss(x, x, -x)) == "gaussian_nll_loss: the variance has a value that is not 0 or more");
}

// Streaming metrics against TensorFlow and SciPy (test/oracle/metrics_goldens.py).
#include <fstream>

#include <rill/metrics/accuracy.h>
#include <rill/metrics/binary.h>
#include <rill/metrics/confusion.h>
#include <rill/metrics/mean.h>
#include <rill/metrics/ranking.h>
#include <rill/metrics/thresholds.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>

#include "test/support/goldens.h"
#include "test/support/message.h"

using namespace rill;
using namespace rill::metrics;

namespace {

using Batch = std::array<Tensor, 3>;

/// Values after each batch; then the same from parts that are merged, and after a reset.
template <class M, class Update> std::vector<double> stream(const M& fresh, const std::vector<Batch>& batches, Update update) {
  std::vector<double> all;
  const auto append = [&](const M& m) {
    if constexpr (std::is_same_v<decltype(m.value()), double>) all.push_back(m.value());
    else for (const double v : m.value()) all.push_back(v);
  };
  M m = fresh, merged = fresh;
  for (const Batch& b : batches) {
    update(m, b);
    append(m);
    M part = fresh;
    update(part, b);
    merged.merge(part);
  }
  const auto before = all;
  all.clear(), append(m), append(merged);
  for (std::size_t i = 0; i < all.size() / 2; ++i) CHECK(all[i] == Approx(all[i + all.size() / 2]).epsilon(1e-12));
  m.reset();
  for (const Batch& b : batches) update(m, b);
  all.clear(), append(m);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == before[before.size() - all.size() + i]);
  return before;
}
template <class M> std::vector<double> stream(const M& fresh, const std::vector<Batch>& batches) {
  return stream(fresh, batches, [](M& m, const Batch& b) { m.update(b[0], b[1], b[2]); });
}

std::vector<double> run(const Golden& g, const std::vector<Batch>& b) {
  const auto first = [](auto& m, const Batch& x) { m.update(x[0], x[2]); };
  if (g.op == "mean_squared_error") return stream(MeanSquaredError(), b);
  if (g.op == "root_mean_squared_error") return stream(RootMeanSquaredError(), b);
  if (g.op == "mean_absolute_error") return stream(MeanAbsoluteError(), b);
  if (g.op == "mean_relative_error") return stream(MeanRelativeError(), b, [](MeanRelativeError& m, const Batch& x) { m.update(x[0], x[1], tensor({2., 0., -0.5}), x[2]); });
  if (g.op == "mean_cosine_distance")  // TensorFlow keeps the axis in the weights
    return stream(MeanCosineDistance(g.integer(0)), b, [](MeanCosineDistance& m, const Batch& x) { m.update(x[0], x[1], x[2].defined() ? x[2].reshape({-1}) : x[2]); });
  if (g.op == "mean") return stream(Mean(), b, first);
  if (g.op == "percentage_below") return stream(PercentageBelow(g.number(0)), b, first);
  if (g.op == "precision") return stream(Precision(), b);
  if (g.op == "recall") return stream(Recall(), b);
  if (g.op == "precision_at_thresholds") return stream(PrecisionAtThresholds(text::values(g.arguments.at(0))), b);
  if (g.op == "recall_at_thresholds") return stream(RecallAtThresholds(text::values(g.arguments.at(0))), b);
  if (g.op == "auc")
    return stream(Auc({.num_thresholds = g.integer(2), .curve = g.arguments[0] == "ROC" ? Curve::roc : Curve::pr,
                       .summation = g.arguments[1] == "trapezoidal" ? Summation::trapezoidal : Summation::careful_interpolation}), b);
  if (g.op == "accuracy") return stream(Accuracy(), b);
  if (g.op == "mean_iou") return stream(MeanIou(g.integer(0)), b);
  if (g.op == "mean_per_class_accuracy") return stream(MeanPerClassAccuracy(g.integer(0)), b);
  if (g.op == "recall_at_k") return stream(RecallAtK(g.integer(0)), b);
  if (g.op == "precision_at_k") return stream(PrecisionAtK(g.integer(0)), b);
  if (g.op == "average_precision_at_k") return stream(AveragePrecisionAtK(g.integer(0)), b);
  FAIL("no metric " << g.op);
  return {};
}

}  // namespace

TEST_CASE("metrics have TensorFlow's values after each batch, merged and after a reset", "[metrics][goldens]") {
  std::ifstream file(std::string(RILL_SOURCE_DIR) + "/test/nn/metrics_goldens.txt");
  REQUIRE(file);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(file, line);) {
    INFO(line.substr(0, 60));
    const Golden g = parse_golden(line);
    ++seen[g.op];
    const Tensor& want = g.sections.at("").at(0);
    if (g.op == "in_top_k") {
      check_same(in_top_k(g.inputs[0], g.inputs[1], g.integer(0)), want);
      continue;
    }
    if (g.op == "roc_auc") {
      CHECK(roc_auc(g.inputs[0], g.inputs[1]) == Approx(want.item<double>()).epsilon(1e-14));
      continue;
    }
    std::vector<Batch> batches;
    for (std::size_t k = 0; k + 2 < g.inputs.size(); k += 3) batches.push_back({g.inputs[k], g.inputs[k + 1], g.inputs[k + 2].numel() ? g.inputs[k + 2] : Tensor()});
    REQUIRE(batches.size() == 3);
    check_same(tensor(run(g, batches)), want.reshape({-1}), 2e-6);
  }
  CHECK(seen.size() == 20);
}

TEST_CASE("a short last batch weighs less", "[metrics]") {
  Accuracy a;
  CHECK(a.value() == 0);
  a.update(tensor({1, 2, 3}), tensor({1, 2, 0}));
  CHECK(a.value() == Approx(0.6666667));
  a.update(tensor({1, 2}), tensor({1, 0}));
  CHECK(a.value() == Approx(0.6));
}

TEST_CASE("accuracy takes classes or scores", "[metrics]") {
  const Tensor scores = tensor({{0.1, 0.9, 0.9}, {2., 1., 0.}, {0., 0., 1.}}), labels = tensor({1, 1, 2});
  CHECK(accuracy(scores, labels) == Approx(2.0 / 3));  // of equal scores the first counts
  CHECK(accuracy(argmax(scores, 1), labels) == Approx(2.0 / 3));
  CHECK(accuracy(zeros({2, 4, 4, 3}), zeros({2, 4, 4}, {.dtype = int64})) == 1);
  CHECK(top_k_accuracy(scores, labels, 1) == Approx(2.0 / 3));
  CHECK(top_k_accuracy(scores, labels, 2) == 1);
  TopKAccuracy top(2);
  top.update(scores, labels, tensor({0., 1., 3.}));
  CHECK(top.value() == 1);
  CHECK(MESSAGE(ShapeError, accuracy(zeros({3, 2}), zeros({2}, {.dtype = int64}))) == "Accuracy: predictions have shape [3, 2], labels [2]; expected one shape, or scores with one axis more");
  CHECK(MESSAGE(ShapeError, in_top_k(zeros({3, 2}), zeros({2}, {.dtype = int64}), 1)) == "in_top_k: scores have shape [3, 2], targets [2]; expected [N, C] and [N]");
  CHECK(MESSAGE(ValueError, in_top_k(scores, labels, 0)) == "in_top_k: k is 0; expected at least 1");
  CHECK(in_top_k(zeros({2, 0}), zeros({2}, {.dtype = int64}), 1).to_vector<bool>() == std::vector<bool>{false, false});
  CHECK(MESSAGE(ValueError, accuracy(Tensor(), labels)) == "Accuracy: predictions is undefined; pass a tensor with values");
}

TEST_CASE("metrics of the k largest scores take one class or sets of classes", "[metrics]") {
  const Tensor scores = tensor({{0.1, 0.9, 0.5}, {2., 1., 0.}});
  RecallAtK recall(2), sets(2);
  recall.update(scores, tensor({0, 1}));
  CHECK(recall.value() == 0.5);
  sets.update(scores, tensor({{0, 1}, {1, 1}}));
  CHECK(sets.value() == Approx(2.0 / 3));
  CHECK(MESSAGE(ShapeError, recall.update(scores, tensor({0, 1, 2}))) ==
        "RecallAtK: scores have shape [2, 3], labels [3]; expected the shape of the scores without their last axis, or with one of another size");
  CHECK(MESSAGE(ValueError, PrecisionAtK(4).update(scores, tensor({0, 1}))) == "PrecisionAtK: k is 4; expected 1 to 3, the number of classes");
  CHECK(MESSAGE(ShapeError, AveragePrecisionAtK(1).update(scores, tensor({0, 1}), ones({3}))) == "AveragePrecisionAtK: weights of shape [3] do not broadcast to values of shape [2]");
}

TEST_CASE("a weight of 0 removes an element, whatever its value", "[metrics]") {
  Mean m;
  m.update(tensor({1., NAN, 5.}), tensor({1., 0., 3.}));
  CHECK(m.value() == 4);
  CHECK(m.total() == 16);
  CHECK(m.weight() == 4);
  m.update(ones({2, 2}).requires_grad_() * 2, tensor({{1.}, {0.}}));
  CHECK(m.value() == Approx(20.0 / 6));
  CHECK(MESSAGE(ShapeError, m.update(ones({2}), ones({3}))) == "Mean: weights of shape [3] do not broadcast to values of shape [2]");
  CHECK(MESSAGE(ShapeError, m.update(ones({2}), ones({1, 2}))) == "Mean: weights of shape [1, 2] do not broadcast to values of shape [2]");
  CHECK(MESSAGE(ValueError, m.update(Tensor())) == "Mean: values is undefined; pass a tensor with values");
  Mean precise;  // float32 values are added in double
  precise.update(full({1 << 20}, 0.1));
  CHECK(precise.value() == Approx(static_cast<double>(0.1f)).epsilon(1e-15));
}

TEST_CASE("precision, recall and F1 count the four cases", "[metrics]") {
  const Tensor p = tensor({1, 1, 0, 0, 1, 1}), l = tensor({1, 0, 1, 0, 1, 0});
  Precision precision;
  Recall recall;
  F1 f1;
  CHECK(f1.value() == 0);
  precision.update(p, l), recall.update(p, l), f1.update(p, l);
  CHECK(precision.value() == 0.5);
  CHECK(recall.value() == Approx(2.0 / 3));
  CHECK(f1.value() == Approx(2 * 0.5 * (2.0 / 3) / (0.5 + 2.0 / 3)));
  CHECK(f1.counts().true_negatives == 1);
  F1 more;
  more.update(p, l, full({}, 2.));
  f1.merge(more);
  CHECK(f1.counts().false_positives == 6);
  CHECK(f1.counts().false_negatives == 3);
  CHECK(f1.counts().true_negatives == 3);
  CHECK(MESSAGE(ShapeError, f1.update(p, zeros({2}))) == "BinaryCounts: predictions have shape [6], labels [2]; expected one shape");
}

TEST_CASE("the area under a curve is TensorFlow's approximation or exact", "[metrics]") {
  const Tensor labels = tensor({0, 0, 1, 1}), scores = tensor({0.1, 0.4, 0.35, 0.8});
  Auc roc, pr({.curve = Curve::pr});
  roc.update(scores, labels), pr.update(scores, labels);
  CHECK(roc.value() == Approx(0.7499997500).epsilon(1e-10));
  CHECK(pr.value() == Approx(0.7916663611).epsilon(1e-9));
  CHECK(roc_auc(scores, labels) == 0.75);
  CHECK(roc_auc(tensor({1., 1., 1.}), tensor({0, 1, 1})) == 0.5);
  Auc edges({.num_thresholds = 3});  // scores on the thresholds 0, 0.5 and 1 belong below them
  edges.update(tensor({0., 0.5, 1.}), tensor({1, 1, 1}));
  CHECK(edges.counts().true_positives == std::vector<double>{3, 1, 0});
  CHECK(edges.counts().false_negatives == std::vector<double>{0, 2, 3});

  CHECK(MESSAGE(ValueError, roc.update(tensor({0.5, 1.5}), tensor({0, 1}))) == "Auc: score 1 is 1.5; expected a number in [0, 1], as sigmoid gives");
  CHECK(MESSAGE(ValueError, roc.update(tensor({NAN}), tensor({0}))) == "Auc: score 0 is nan; expected a number in [0, 1], as sigmoid gives");
  CHECK(roc.value() == Approx(0.7499997500).epsilon(1e-10));  // nothing was counted
  CHECK(MESSAGE(ValueError, roc.merge(edges)) == "Auc: metrics with different thresholds cannot be merged");
  CHECK(MESSAGE(ValueError, Auc({.num_thresholds = 1})) == "Auc: num_thresholds is 1; expected at least 2");
  CHECK(MESSAGE(ValueError, Auc({.summation = Summation::careful_interpolation})) == "Auc: careful_interpolation is for Curve::pr; use trapezoidal");
  CHECK(MESSAGE(ValueError, PrecisionAtThresholds({})) == "PrecisionAtThresholds: there are no thresholds");
  CHECK(MESSAGE(ValueError, RecallAtThresholds({0.5, 0.5})) == "RecallAtThresholds: the thresholds do not increase");
  CHECK(MESSAGE(ShapeError, roc.update(scores, zeros({3}))) == "Auc: scores have shape [4], labels [3]; expected one shape");
  CHECK(MESSAGE(ValueError, roc_auc(scores, zeros({4}))) == "roc_auc: there are 0 positive and 4 negative labels; both classes are needed");
  CHECK(MESSAGE(ValueError, roc_auc(tensor({NAN, 1.}), tensor({0, 1}))) == "roc_auc: score 0 is NaN");
  CHECK(MESSAGE(ShapeError, roc_auc(scores, zeros({3}))) == "roc_auc: scores have shape [4], labels [3]; expected one shape");
}

TEST_CASE("a confusion matrix has labels in rows", "[metrics]") {
  ConfusionMatrix m(3);
  m.update(tensor({0, 1, 1, 2}), tensor({0, 1, 2, 2}), tensor({1., 2., 0.5, 1.}));
  CHECK(m.value().to_vector<double>() == std::vector<double>{1, 0, 0, 0, 2, 0, 0, 0.5, 1});
  CHECK(m.value().shape() == Shape{3, 3});
  m.update(tensor({{0., 1., 0.}}), tensor({0}));  // scores
  CHECK(m.value().to_vector<double>()[1] == 1);
  const auto before = m.value().to_vector<double>();
  CHECK(MESSAGE(IndexError, m.update(tensor({0, 3}), tensor({0, 1}))) == "ConfusionMatrix: prediction 1 is 3, classes are 0..2");
  CHECK(MESSAGE(IndexError, m.update(tensor({0, 1}), tensor({0, -1}))) == "ConfusionMatrix: label 1 is -1, classes are 0..2");
  CHECK(m.value().to_vector<double>() == before);
  CHECK(MESSAGE(ValueError, ConfusionMatrix(0)) == "ConfusionMatrix: there are 0 classes; expected at least 1");
  CHECK(MESSAGE(ValueError, m.merge(ConfusionMatrix(2))) == "ConfusionMatrix: matrices of 3 and 2 classes cannot be merged");
  MeanIou iou(3);
  CHECK(iou.value() == 0);
  iou.update(tensor({0, 1, 1, 2}), tensor({0, 1, 2, 2}));
  CHECK(iou.value() == Approx((1 + 0.5 + 0.5) / 3));
  CHECK(iou.matrix().value().to_vector<double>()[7] == 1);
}

TEST_CASE("errors of regression refuse shapes that differ", "[metrics]") {
  const Tensor a = ones({2, 3}), b = ones({3});
  CHECK(MESSAGE(ShapeError, MeanSquaredError().update(a, b)) == "MeanSquaredError: predictions have shape [2, 3], targets [3]; expected one shape");
  CHECK(MESSAGE(ShapeError, RootMeanSquaredError().update(a, b)) == "RootMeanSquaredError: predictions have shape [2, 3], targets [3]; expected one shape");
  CHECK(MESSAGE(ShapeError, MeanAbsoluteError().update(a, b)) == "MeanAbsoluteError: predictions have shape [2, 3], targets [3]; expected one shape");
  CHECK(MESSAGE(ShapeError, MeanCosineDistance().update(a, b)) == "MeanCosineDistance: predictions have shape [2, 3], targets [3]; expected one shape");
  CHECK(MESSAGE(ShapeError, MeanRelativeError().update(a, b, a)) == "MeanRelativeError: predictions have shape [2, 3], targets [3]; expected one shape");
  CHECK(MESSAGE(ValueError, MeanRelativeError().update(a, a, Tensor())) == "MeanRelativeError: the normalizer is undefined; pass a tensor with values");
  CHECK(MESSAGE(ValueError, PercentageBelow(1).update(Tensor())) == "PercentageBelow: values is undefined; pass a tensor with values");
}

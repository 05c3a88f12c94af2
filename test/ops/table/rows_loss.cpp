// Losses by their formulas, in long double; CTC by the sum over all paths. Also similarities, bags and local response normalisation.
#include <algorithm>

#include "test/ops/table/boxes.h"

namespace rill::optable {
namespace {

using Wide = long double;
using Whole = std::function<Values(const std::vector<Plain>&)>;

const Input kX = {.shape = {4, 3}}, kProbability = {.shape = {4, 3}, .low = 0.1, .high = 0.9};

Row row(const char* name, std::function<Tensor(const Args&)> f, std::vector<Input> inputs, Whole whole, std::vector<ErrorCase> errors) {
  return {.name = name, .run = std::move(f), .inputs = std::move(inputs), .whole = std::move(whole), .bound = 32, .magnitude = 6, .roundings = 4, .errors = std::move(errors)};
}
/// The mean over the rows of [4, 3] inputs of f(row k of every input, k).
Whole mean_of_rows(std::function<Wide(const std::vector<const double*>&, int)> f) {
  return [f](const std::vector<Plain>& in) {
    Wide s = 0;
    for (int i = 0; i < 4; ++i) {
      std::vector<const double*> at;
      for (const Plain& p : in) at.push_back(p.v.data() + 3 * i);
      s += f(at, i);
    }
    return Values{static_cast<double>(s / 4)};
  };
}
Whole mean_of_elements(Wide (*f)(Wide, Wide)) {
  return [f](const std::vector<Plain>& in) {
    Wide s = 0;
    for (std::size_t i = 0; i < 12; ++i) s += f(in[0].v[i], in[1].v[i]);
    return Values{static_cast<double>(s / 12)};
  };
}
Wide dot(const double* a, const double* b) { return static_cast<Wide>(a[0]) * b[0] + static_cast<Wide>(a[1]) * b[1] + static_cast<Wide>(a[2]) * b[2]; }
Wide distance(const double* a, const double* b) {
  Wide s = 0;
  for (int k = 0; k < 3; ++k) s += std::pow(static_cast<Wide>(a[k]) - b[k] + 1e-6L, 2);
  return std::sqrt(s);
}
Wide positive(Wide v) { return std::max(Wide(0), v); }
Wide log_sigmoid(Wide x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }
const Tensor signs(const Tensor& x) { return tensor({1, -1, -1, 1}, on(x)); }
Wide sign(int i) { return i == 0 || i == 3 ? 1 : -1; }
const Tensor signs_of_all(const Tensor& x) { return unsqueeze(signs(x), 1).expand({4, 3}); }
const Tensor classes(const Tensor& x) { return tensor({1, 2, 0, 2}, on(x)); }
constexpr int kClass[] = {1, 2, 0, 2};

std::string shapes_differ(const char* op) { return std::string(op) + ": the target has shape [2], the input [3]; they must be equal, expand or reshape one"; }

/// -log of the summed probability of all paths of 4 steps over 3 classes (0: blank) that spell 1, 2; x are logits [4, 1, 3].
Values ctc_of(const std::vector<Plain>& in) {
  Wide p[4][3], total = 0;
  for (int t = 0; t < 4; ++t) {
    Wide s = 0;
    for (int c = 0; c < 3; ++c) s += p[t][c] = std::exp(static_cast<Wide>(in[0].v[static_cast<std::size_t>(3 * t + c)]));
    for (int c = 0; c < 3; ++c) p[t][c] /= s;
  }
  each_position({3, 3, 3, 3}, [&](const Dims& path) {
    std::string spelled;
    Wide product = 1;
    for (int t = 0; t < 4; ++t) {
      product *= p[t][path[t]];
      if (path[t] != 0 && (t == 0 || path[t] != path[t - 1])) spelled += static_cast<char>('0' + path[t]);
    }
    if (spelled == "12") total += product;
  });
  return {static_cast<double>(-std::log(total) / 2)};  // the mean divides by the length of the target
}

}  // namespace

std::vector<Row> rows_loss() {
  const auto shape_error = [](const char* op, std::function<void()> f) { return std::vector<ErrorCase>{throws<ShapeError>(shapes_differ(op), std::move(f))}; };
  std::vector<Row> list = {
      row("l2_loss", [](const Args& a) { return l2_loss(a[0]); }, {kX}, [](const std::vector<Plain>& in) {
            Wide s = 0;
            for (const double v : in[0].v) s += static_cast<Wide>(v) * v;
            return Values{static_cast<double>(s / 2)};
          }, {throws<DtypeError>("l2_loss: int64 is not supported (expected a floating dtype); convert with .to(float32)", [] { l2_loss(tensor({1, 2})); })}),
      row("cosine_embedding_loss", [](const Args& a) { return cosine_embedding_loss(a[0], a[1], signs(a[0]), 0.1); }, {kX, kX}, mean_of_rows([](const auto& x, int i) {
            const Wide c = dot(x[0], x[1]) / std::sqrt((dot(x[0], x[0]) + 1e-12L) * (dot(x[1], x[1]) + 1e-12L));
            return sign(i) > 0 ? 1 - c : positive(c - 0.1L);
          }), {throws<ShapeError>("cosine_embedding_loss: the target has shape [3], the inputs [2, 3]; expected [2]", [] { cosine_embedding_loss(ones({2, 3}), ones({2, 3}), ones({3})); })}),
      row("margin_ranking_loss", [](const Args& a) { return margin_ranking_loss(a[0], a[1], signs_of_all(a[0]), 0.3); }, {kX, kX}, mean_of_rows([](const auto& x, int i) {
            Wide s = 0;
            for (int k = 0; k < 3; ++k) s += positive(-sign(i) * (static_cast<Wide>(x[0][k]) - x[1][k]) + 0.3L);
            return s / 3;
          }), shape_error("margin_ranking_loss", [] { margin_ranking_loss(ones({3}), ones({3}), ones({2})); })),
      row("hinge_embedding_loss", [](const Args& a) { return hinge_embedding_loss(a[0], signs_of_all(a[0])); }, {kX}, mean_of_rows([](const auto& x, int i) {
            Wide s = 0;
            for (int k = 0; k < 3; ++k) s += sign(i) > 0 ? static_cast<Wide>(x[0][k]) : positive(1 - static_cast<Wide>(x[0][k]));
            return s / 3;
          }), shape_error("hinge_embedding_loss", [] { hinge_embedding_loss(ones({3}), ones({2})); })),
      row("triplet_margin_loss", [](const Args& a) { return triplet_margin_loss(a[0], a[1], a[2]); }, {kX, kX, kX}, mean_of_rows([](const auto& x, int) { return positive(distance(x[0], x[1]) - distance(x[0], x[2]) + 1); }),
          {throws<ShapeError>("triplet_margin_loss: anchor, positive and negative have shapes [2, 3], [2, 3] and [3]; they must be equal", [] { triplet_margin_loss(ones({2, 3}), ones({2, 3}), ones({3})); })}),
      row("triplet_margin_with_distance_loss", [](const Args& a) { return triplet_margin_with_distance_loss(a[0], a[1], a[2], [](const Tensor& x, const Tensor& y) { return sum(x * y, {1}); }, {.margin = 2}); }, {kX, kX, kX},
          mean_of_rows([](const auto& x, int) { return positive(dot(x[0], x[1]) - dot(x[0], x[2]) + 2); }),
          {throws<ValueError>("triplet_margin_with_distance_loss: the distance is empty; pass a function of two tensors", [] { triplet_margin_with_distance_loss(ones({1}), ones({1}), ones({1}), {}); })}),
      row("multi_margin_loss", [](const Args& a) { return multi_margin_loss(a[0], classes(a[0])); }, {kX}, mean_of_rows([](const auto& x, int i) {
            Wide s = 0;
            for (int k = 0; k < 3; ++k)
              if (k != kClass[i]) s += positive(1 - static_cast<Wide>(x[0][kClass[i]]) + x[0][k]);
            return s / 3;
          }), {throws<ValueError>("multi_margin_loss: p is 3; use 1 or 2", [] { multi_margin_loss(ones({2, 3}), tensor({0, 1}), {.p = 3}); })}),
      row("multilabel_margin_loss", [](const Args& a) { return multilabel_margin_loss(a[0], tensor({{2, -1, 0}, {0, 1, -1}, {1, 0, 2}, {-1, 0, 0}}, on(a[0]))); }, {kX}, mean_of_rows([](const auto& x, int i) {
            const std::vector<int> own = i == 0 ? std::vector<int>{2} : i == 1 ? std::vector<int>{0, 1} : i == 2 ? std::vector<int>{1, 0, 2} : std::vector<int>{};
            Wide s = 0;
            for (int j : own)
              for (int k = 0; k < 3; ++k)
                if (std::find(own.begin(), own.end(), k) == own.end()) s += positive(1 - (static_cast<Wide>(x[0][j]) - x[0][k]));
            return s / 3;
          }), {throws<IndexError>("multilabel_margin_loss: the target holds -2; expected classes, or -1 after the last one", [] { multilabel_margin_loss(ones({3}), tensor({0, -2, 1})); })}),
      row("multilabel_soft_margin_loss", [](const Args& a) { return multilabel_soft_margin_loss(a[0], a[1]); }, {kX, kProbability}, mean_of_rows([](const auto& x, int) {
            Wide s = 0;
            for (int k = 0; k < 3; ++k) s -= x[1][k] * log_sigmoid(x[0][k]) + (1 - static_cast<Wide>(x[1][k])) * log_sigmoid(-static_cast<Wide>(x[0][k]));
            return s / 3;
          }), shape_error("multilabel_soft_margin_loss", [] { multilabel_soft_margin_loss(ones({3}), ones({2})); })),
      row("gaussian_nll_loss", [](const Args& a) { return gaussian_nll_loss(a[0], a[1], a[2]); }, {kX, kX, {.shape = {4, 3}, .low = 0.3, .high = 2}}, mean_of_rows([](const auto& x, int) {
            Wide s = 0;
            for (int k = 0; k < 3; ++k) s += (std::log(static_cast<Wide>(x[2][k])) + std::pow(static_cast<Wide>(x[0][k]) - x[1][k], 2) / x[2][k]) / 2;
            return s / 3;
          }), {throws<ValueError>("gaussian_nll_loss: the variance has a value that is not 0 or more", [] { gaussian_nll_loss(ones({2}), ones({2}), -ones({2})); })}),
      row("ctc_loss", [](const Args& a) { return ctc_loss(log_softmax(a[0]), tensor({1, 2}, on(a[0])), tensor({4}, on(a[0])), tensor({2}, on(a[0]))); }, {{.shape = {4, 1, 3}}}, ctc_of,
          {throws<ValueError>("ctc_loss: blank is 3, but classes are 0 to 2", [] { ctc_loss(ones({4, 1, 3}), tensor({1, 2}), tensor({4}), tensor({2}), {.blank = 3}); }),
           throws<IndexError>("ctc_loss: label 7 at position 1 of sample 0 is outside [0, 3)", [] { ctc_loss(ones({4, 1, 3}), tensor({1, 7}), tensor({4}), tensor({2})); })}),
      row("weighted_loss", [](const Args& a) { return weighted_loss(a[0], a[1]); }, {kX, kProbability}, mean_of_elements([](Wide l, Wide w) { return l * w; }),
          {throws<ShapeError>("weighted_loss: the weight has shape [2, 2], which does not broadcast to the input [2]", [] { weighted_loss(ones({2}), ones({2, 2})); })}),
      row("hinge_loss", [](const Args& a) { return hinge_loss(a[0], a[1]); }, {kX, kProbability}, mean_of_elements([](Wide x, Wide y) { return positive(1 - (2 * y - 1) * x); }), shape_error("hinge_loss", [] { hinge_loss(ones({3}), ones({2})); })),
      row("log_loss", [](const Args& a) { return log_loss(a[0], a[1]); }, {kProbability, kProbability}, mean_of_elements([](Wide x, Wide y) { return -y * std::log(x + 1e-7L) - (1 - y) * std::log(1 - x + 1e-7L); }),
          shape_error("log_loss", [] { log_loss(ones({3}), ones({2})); })),
      row("cosine_distance", [](const Args& a) { return cosine_distance(a[0], a[1]); }, {kX, kX}, mean_of_rows([](const auto& x, int) { return 1 - dot(x[0], x[1]); }), shape_error("cosine_distance", [] { cosine_distance(ones({3}), ones({2})); })),
      row("mean_pairwise_squared_error", [](const Args& a) { return mean_pairwise_squared_error(a[0], a[1], Reduction::mean); }, {kX, kX}, mean_of_rows([](const auto& x, int) {
            Wide s = 0;
            for (int i = 0; i < 3; ++i)
              for (int j = 0; j < 3; ++j) s += std::pow((static_cast<Wide>(x[0][i]) - x[0][j]) - (static_cast<Wide>(x[1][i]) - x[1][j]), 2);
            return s / 6;
          }), {throws<ShapeError>("mean_pairwise_squared_error: the input is one number; expected [N, ...]", [] { mean_pairwise_squared_error(full({}, 1.), full({}, 1.)); })}),
      row("cosine_similarity", [](const Args& a) { return cosine_similarity(a[0], a[1]); }, {kX, kX}, [](const std::vector<Plain>& in) {
            Values y;
            for (int i = 0; i < 4; ++i) {
              const double *a = in[0].v.data() + 3 * i, *b = in[1].v.data() + 3 * i;
              y.push_back(static_cast<double>(dot(a, b) / std::sqrt(dot(a, a) * dot(b, b))));
            }
            return y;
          }, {throws<IndexError>("cosine_similarity: axis 2 is outside [-2, 2) for a tensor of rank 2", [] { cosine_similarity(ones({2, 3}), ones({2, 3}), 2); })}),
      row("pairwise_distance", [](const Args& a) { return pairwise_distance(a[0], a[1]); }, {kX, kX}, [](const std::vector<Plain>& in) {
            Values y;
            for (int i = 0; i < 4; ++i) y.push_back(static_cast<double>(distance(in[0].v.data() + 3 * i, in[1].v.data() + 3 * i)));
            return y;
          }, {throws<ShapeError>("pairwise_distance: shapes [3] and [2] do not broadcast: sizes 3 and 2 differ at axis -1 from the right and neither is 1", [] { pairwise_distance(ones({3}), ones({2})); })}),
      row("local_response_norm", [](const Args& a) { return local_response_norm(a[0], 3, 0.5, 0.75, 1.5); }, {{.shape = {2, 4, 2}}}, [](const std::vector<Plain>& in) {
            Values y;
            each_position({2, 4, 2}, [&](const Dims& at) {
              Wide s = 0;
              for (Int c = at[1] - 1; c <= at[1] + 1; ++c) s += std::pow(static_cast<Wide>(value_at(in[0], {at[0], c, at[2]})), 2);
              y.push_back(static_cast<double>(value_at(in[0], at) / std::pow(1.5L + 0.5L / 3 * s, 0.75L)));
            });
            return y;
          }, {throws<ValueError>("local_response_norm: the window has size 0; use 1 or more", [] { local_response_norm(ones({1, 2, 3}), 0); })}),
      row("embedding_bag", [](const Args& a) { return embedding_bag(a[0], tensor({1, 0, 3, 3}, on(a[0])), tensor({0, 1}, on(a[0]))); }, {{.shape = {4, 3}}}, [](const std::vector<Plain>& in) {
            Values y;
            for (int k = 0; k < 3; ++k) y.push_back(in[0].at(1, k));
            for (int k = 0; k < 3; ++k) y.push_back((in[0].at(0, k) + 2 * in[0].at(3, k)) / 3);
            return y;
          }, {throws<IndexError>("embedding_bag: index 4 at [0] is outside axis 0 of size 4; valid are 0 to 3", [] { embedding_bag(ones({4, 3}), tensor({4}), tensor({0})); }),
           throws<DtypeError>("embedding_bag: weight has dtype int64; expected a floating dtype", [] { embedding_bag(tensor({{1, 2}}), tensor({0}), tensor({0})); })}),
      row("embedding_renorm", [](const Args& a) { const Tensor w = a[0].detach().clone(); embedding_renorm_(w, tensor({2, 0}, on(w)), 0.5); return w; }, {{.shape = {4, 3}}}, [](const std::vector<Plain>& in) {
            Values y = in[0].v;
            for (int i : {0, 2}) {
              const Wide length = std::sqrt(dot(in[0].v.data() + 3 * i, in[0].v.data() + 3 * i));
              if (length > 0.5L)
                for (int k = 0; k < 3; ++k) y[static_cast<std::size_t>(3 * i + k)] = static_cast<double>(in[0].at(i, k) * (0.5L / (length + 1e-7L)));
            }
            return y;
          }, {throws<ValueError>("embedding_renorm_: max_norm is -1 and p is 2; both must be positive", [] { embedding_renorm_(ones({4, 3}), tensor({0}), -1); })}),
  };
  for (Row& r : list) {
    if (r.name == "ctc_loss") r.twice = false;
    if (r.name == "embedding_renorm") r.differentiable = false;
    if (r.name == "weighted_loss") r.required = 1;
    if (r.name == "embedding_bag") r.corners = {[](const Args& a, Int k) { return embedding_bag(a[0], tensor({k, 0, 1}), tensor({0, 1})); }, [](const Args& a, Int k) { return embedding_bag(a[0], tensor({0, 0, 1}), tensor({Int{0}, k})); }};
    if (r.name == "ctc_loss")
      r.corners = {[](const Args& a, Int k) { return ctc_loss(a[0], tensor({Int{1}, k}), tensor({4}), tensor({2})); }, [](const Args& a, Int k) { return ctc_loss(a[0], tensor({1, 2}), tensor({k}), tensor({2})); },
                   [](const Args& a, Int k) { return ctc_loss(a[0], tensor({1, 2}), tensor({4}), tensor({k})); }, [](const Args& a, Int k) { return ctc_loss(a[0], tensor({1, 2}), tensor({4}), tensor({2}), {.blank = k}); }};
    if (r.name == "local_response_norm") r.corners = {[](const Args& a, Int k) { return local_response_norm(a[0], k); }};
    if (r.name == "cosine_similarity") r.corners = {[](const Args& a, Int k) { return cosine_similarity(a[0], a[1], k); }};
    if (r.name == "multi_margin_loss") r.corners = {[](const Args& a, Int k) { return multi_margin_loss(a[0], tensor({k, k, k, k})); }};
    if (r.name == "multilabel_margin_loss") r.corners = {[](const Args& a, Int k) { return multilabel_margin_loss(a[0][0], tensor({Int{0}, k, k})); }};
  }
  return list;
}

}  // namespace rill::optable

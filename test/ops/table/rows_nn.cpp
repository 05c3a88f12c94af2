// Softmax, losses, normalisation, embedding, dropout, random numbers, creation. Losses: one number from plain loops in long double.
#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

using Wide = long double;
using Values = std::vector<double>;

const Input kX = {.shape = {4, 6}}, kY = {.shape = {4, 6}};
const Input kSigns = {.shape = {4, 6}, .low = 0, .high = 2};

Row row(const char* name, std::function<Tensor(const Args&)> f, std::vector<Input> inputs, std::function<Values(const std::vector<Plain>&)> whole, std::vector<ErrorCase> errors = {}) {
  return {.name = name, .run = std::move(f), .inputs = std::move(inputs), .whole = std::move(whole), .bound = 16, .magnitude = 4, .roundings = 8, .errors = std::move(errors)};
}
/// The mean of one term per pair of elements.
Row mean_of(const char* name, std::function<Tensor(const Args&)> f, Wide (*term)(Wide, Wide), Input x = kX, Input y = kY) {
  return row(name, f, {x, y}, [term](const std::vector<Plain>& in) {
    Wide s = 0;
    for (std::size_t i = 0; i < in[0].v.size(); ++i) s += term(in[0].v[i], in[1].v[i]);
    return Values{static_cast<double>(s / static_cast<Wide>(in[0].v.size()))};
  }, {throws<ShapeError>(std::string(name) + ": the target has shape [2], the input [3]; they must be equal, expand or reshape one", [f] { f({ones({3}), ones({2})}); })});
}
/// f(row) for every row of the first input.
std::function<Values(const std::vector<Plain>&)> each_row(std::function<Values(const Values&)> f) {
  return [f](const std::vector<Plain>& in) {
    Values y;
    const auto n = in[0].v.size() / static_cast<std::size_t>(in[0].size(0));
    for (std::size_t i = 0; i < in[0].v.size(); i += n)
      for (double v : f(Values(in[0].v.begin() + static_cast<std::ptrdiff_t>(i), in[0].v.begin() + static_cast<std::ptrdiff_t>(i + n)))) y.push_back(v);
    return y;
  };
}
Values softmax_of(const Values& x, bool log) {
  Wide s = 0;
  for (double v : x) s += std::exp(static_cast<Wide>(v));
  Values y;
  for (double v : x) y.push_back(static_cast<double>(log ? v - std::log(s) : std::exp(static_cast<Wide>(v)) / s));
  return y;
}
Values standardized(const Values& x, bool center) {
  Wide m = 0, s = 0;
  for (double v : x) m += v;
  m = center ? m / static_cast<Wide>(x.size()) : 0;
  for (double v : x) s += (v - m) * (v - m);
  Values y;
  for (double v : x) y.push_back(static_cast<double>((v - m) / std::sqrt(s / static_cast<Wide>(x.size()) + 1e-5L)));
  return y;
}
Wide log_sigmoid(Wide x) { return x > 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }
const Tensor classes(const Tensor& x) { return tensor({1, 5, 0, 2}, on(x)); }
Values cross_entropy_of(const std::vector<Plain>& in) {
  const int t[] = {1, 5, 0, 2};
  Wide s = 0;
  for (int i = 0; i < 4; ++i) s -= softmax_of(Values(in[0].v.begin() + 6 * i, in[0].v.begin() + 6 * i + 6), true)[static_cast<std::size_t>(t[i])];
  return {static_cast<double>(s / 4)};
}

}  // namespace

std::vector<Row> rows_nn() {
  std::vector<Row> list = {
      row("softmax", [](const Args& a) { return softmax(a[0], 1); }, {kX}, each_row([](const Values& x) { return softmax_of(x, false); }), {throws<IndexError>("softmax: axis 2 is outside [-2, 2) for a tensor of rank 2", [] { softmax(ones({3, 4}), 2); })}),
      row("log_softmax", [](const Args& a) { return log_softmax(a[0], 1); }, {kX}, each_row([](const Values& x) { return softmax_of(x, true); })),
      row("softmin", [](const Args& a) { return softmin(a[0], 1); }, {kX}, each_row([](const Values& x) {
            Values n;
            for (double v : x) n.push_back(-v);
            return softmax_of(n, false);
          })),
      row("cross_entropy", [](const Args& a) { return cross_entropy(a[0], classes(a[0])); }, {kX}, cross_entropy_of,
          {throws<IndexError>("cross_entropy: target 6 at position 0 is outside [0, 6); classes count from 0", [] { cross_entropy(ones({1, 6}), tensor({6}, {.dtype = int64})); }), throws<ShapeError>("cross_entropy: target [1] does not fit logits [4, 6]; expected classes of shape [4]", [] { cross_entropy(ones({4, 6}), tensor({1}, {.dtype = int64})); })}),
      row("nll_loss", [](const Args& a) { return nll_loss(log_softmax(a[0], 1), classes(a[0])); }, {kX}, cross_entropy_of, {throws<IndexError>("nll_loss: target -1 at position 0 is outside [0, 6); classes count from 0", [] { nll_loss(ones({1, 6}), tensor({-1}, {.dtype = int64})); })}),
      mean_of("mse_loss", [](const Args& a) { return mse_loss(a[0], a[1]); }, [](Wide x, Wide y) { return (x - y) * (x - y); }),
      mean_of("l1_loss", [](const Args& a) { return l1_loss(a[0], a[1]); }, [](Wide x, Wide y) { return std::fabs(x - y); }),
      mean_of("smooth_l1_loss", [](const Args& a) { return smooth_l1_loss(a[0], a[1], 0.5); }, [](Wide x, Wide y) { return std::fabs(x - y) < 0.5L ? (x - y) * (x - y) : std::fabs(x - y) - 0.25L; }),
      mean_of("huber_loss", [](const Args& a) { return huber_loss(a[0], a[1], 0.5); }, [](Wide x, Wide y) { return std::fabs(x - y) <= 0.5L ? (x - y) * (x - y) / 2 : (std::fabs(x - y) - 0.25L) / 2; }),
      mean_of("binary_cross_entropy", [](const Args& a) { return binary_cross_entropy(a[0], a[1]); }, [](Wide x, Wide y) { return -(y * std::log(x) + (1 - y) * std::log1p(-x)); }, {.shape = {4, 6}, .low = 0.1, .high = 0.9}, {.shape = {4, 6}, .low = 0.1, .high = 0.9}),
      mean_of("binary_cross_entropy_with_logits", [](const Args& a) { return binary_cross_entropy_with_logits(a[0], a[1]); }, [](Wide x, Wide y) { return -(y * log_sigmoid(x) + (1 - y) * log_sigmoid(-x)); }, kX, {.shape = {4, 6}, .low = 0.1, .high = 0.9}),
      mean_of("kl_div", [](const Args& a) { return kl_div(a[0], a[1]); }, [](Wide x, Wide y) { return y * (std::log(y) - x); }, kX, {.shape = {4, 6}, .low = 0.1, .high = 0.9}),
      mean_of("poisson_nll_loss", [](const Args& a) { return poisson_nll_loss(a[0], a[1]); }, [](Wide x, Wide y) { return std::exp(x) - y * x; }),
      mean_of("soft_margin_loss", [](const Args& a) { return soft_margin_loss(a[0], a[1]); }, [](Wide x, Wide y) { return std::log1p(std::exp(-y * x)); }),
      row("normalize", [](const Args& a) { return normalize(a[0]); }, {kX}, each_row([](const Values& x) {
            Wide s = 0;
            for (double v : x) s += static_cast<Wide>(v) * v;
            Values y;
            for (double v : x) y.push_back(static_cast<double>(v / std::sqrt(s)));
            return y;
          })),
      row("layer_norm", [](const Args& a) { return layer_norm(a[0], {6}); }, {kX}, each_row([](const Values& x) { return standardized(x, true); }), {throws<ShapeError>("layer_norm: the input float32 [4, 6] does not end with the normalized shape [5]; these must be its last sizes", [] { layer_norm(ones({4, 6}), {5}); })}),
      row("rms_norm", [](const Args& a) { return rms_norm(a[0], {6}, {}, 1e-5); }, {kX}, each_row([](const Values& x) { return standardized(x, false); }), {throws<ShapeError>("rms_norm: the input float32 [4, 6] does not end with the normalized shape [5]; these must be its last sizes", [] { rms_norm(ones({4, 6}), {5}); })}),
      row("group_norm", [](const Args& a) { return group_norm(a[0], 1); }, {{.shape = {2, 4, 3}}}, each_row([](const Values& x) { return standardized(x, true); }), {throws<Error>("group_norm: 4 channels cannot be split into 3 groups; use a divisor of the channels", [] { group_norm(ones({2, 4, 3}), 3); })}),
      row("instance_norm", [](const Args& a) { return instance_norm(a[0].reshape({1, 4, 6})).reshape({4, 6}); }, {kX}, each_row([](const Values& x) { return standardized(x, true); })),
      row("batch_norm", [](const Args& a) { return batch_norm(a[0].t().reshape({6, 4}), {}, {}, {}, {}, {.training = true}).t().clone(); }, {kX}, each_row([](const Values& x) { return standardized(x, true); }),
          {throws<ValueError>("batch_norm: the input float32 [1, 3] has one value per channel, which has no variance; training needs more", [] { batch_norm(ones({1, 3}), {}, {}, {}, {}, {.training = true}); })}),
      row("embedding", [](const Args& a) { return embedding(a[0], a[1]); }, {kX, {.shape = {1}, .low = 2, .high = 2, .dtype = int64}}, [](const std::vector<Plain>& in) { return Values(in[0].v.begin() + 12, in[0].v.begin() + 18); },
          {throws<IndexError>("embedding: index 7 at [0] is outside axis 0 of size 4; valid are 0 to 3", [] { embedding(ones({4, 6}), tensor({7}, {.dtype = int64})); })}),
      row("dropout", [](const Args& a) { return dropout(a[0], 0.5, false); }, {kX}, [](const std::vector<Plain>& in) { return in[0].v; }, {throws<ValueError>("dropout: the probability 1.5 is outside [0, 1]", [] { dropout(ones({3}), 1.5); })}),
  };
  for (Row& r : list)
    if (r.name == "dropout") r.view = true;
  for (Row& r : list)
    if (r.name == "embedding") r.kinds = kAll;
  add_errors(list, {
      {"log_softmax", throws<IndexError>("log_softmax: axis -3 is outside [-2, 2) for a tensor of rank 2", [] { log_softmax(ones({3, 4}), -3); })},
      {"softmin", throws<IndexError>("softmin: axis 2 is outside [-2, 2) for a tensor of rank 2", [] { softmin(ones({3, 4}), 2); })},
      {"normalize", throws<IndexError>("normalize: axis 2 is outside [-2, 2) for a tensor of rank 2", [] { normalize(ones({3, 4}), 2, 2); })},
      {"instance_norm", throws<ValueError>("instance_norm: the input float32 [2, 3, 1] has one value per sample and channel, which has no variance", [] { instance_norm(ones({2, 3, 1})); })},
  });
  add_corners(list, {
      {"softmax", {[](const Args& a, std::int64_t k) { return softmax(a[0], k); }}},
      {"log_softmax", {[](const Args& a, std::int64_t k) { return log_softmax(a[0], k); }}},
      {"softmin", {[](const Args& a, std::int64_t k) { return softmin(a[0], k); }}},
      {"cross_entropy", {[](const Args& a, std::int64_t k) { return cross_entropy(a[0], full({4}, k)); }, [](const Args& a, std::int64_t k) { return cross_entropy(a[0], full({4}, k), {.ignore_index = k}); }}},
      {"nll_loss", {[](const Args& a, std::int64_t k) { return nll_loss(a[0], full({4}, k)); }}},
      {"normalize", {[](const Args& a, std::int64_t k) { return normalize(a[0], static_cast<double>(k)); }, [](const Args& a, std::int64_t k) { return normalize(a[0], 2, k); }}},
      {"layer_norm", {[](const Args& a, std::int64_t k) { return layer_norm(a[0], {k}); }}},
      {"rms_norm", {[](const Args& a, std::int64_t k) { return rms_norm(a[0], {k}); }}},
      {"group_norm", {[](const Args& a, std::int64_t k) { return group_norm(a[0], k); }}},
      {"embedding", {[](const Args& a, std::int64_t k) { return embedding(a[0], tensor({k})); }, [](const Args& a, std::int64_t k) { return embedding(a[0], a[1], k); }}},
  });
  return list;
}

}  // namespace rill::optable

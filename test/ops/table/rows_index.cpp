// Gather and scatter, masks, sorting and searching. Values are compared with PyTorch's in index_goldens.cpp and sort.cpp.
#include <map>

#include "test/ops/table/catalogue.h"

namespace rill::optable {
namespace {

const Input kX = {.shape = {4, 5}};
const Input kRows = {.shape = {3}, .low = 0, .high = 4, .dtype = int64};
const Input kPlaces = {.shape = {2, 5}, .low = 0, .high = 4, .dtype = int64};
const Input kMask = {.shape = {4, 5}, .low = -1, .high = 1, .dtype = boolean};

Row row(const char* name, std::function<Tensor(const Args&)> f, std::vector<Input> inputs, std::vector<ErrorCase> errors = {}, unsigned kinds = kAll) {
  return {.name = name, .run = std::move(f), .inputs = std::move(inputs), .kinds = kinds, .bound = 0, .errors = std::move(errors)};
}
Row plain(Row r, Result result) {
  r.differentiable = false, r.result = result;
  return r;
}
const Tensor far() { return tensor({7}, {.dtype = int64}); }

}  // namespace

std::vector<Row> rows_index() {
  const auto x = [] { return ones({4, 5}); };
  std::vector<Row> list = {
      row("index_get", [](const Args& a) { return index_get(a[0], {a[1]}); }, {kX, kRows}, {throws<IndexError>("index: index 7 at [0] is outside axis 0 of size 4; valid are -4 to 3", [x] { index_get(x(), {far()}); })}),
      row("index_put", [](const Args& a) { return index_put(a[0], {a[1]}, a[2]); }, {kX, {.shape = {1}, .low = 0, .high = 4, .dtype = int64}, {.shape = {5}}}, {throws<IndexError>("index: index 7 at [0] is outside axis 0 of size 4; valid are -4 to 3", [x] { index_put(x(), {far()}, ones({5})); })}),
      row("gather", [](const Args& a) { return gather(a[0], 0, a[1]); }, {kX, kPlaces}, {throws<IndexError>("gather: index 7 at [0, 0] is outside axis 0 of size 4; valid are 0 to 3", [x] { gather(x(), 0, far().reshape({1, 1})); }), throws<DtypeError>("gather: the index is float32, expected int64 or int32; convert with .to(rill::int64)", [x] { gather(x(), 0, ones({1, 1})); })}),
      row("scatter_add", [](const Args& a) { return scatter_add(a[0], 0, a[1], a[2]); }, {kX, kPlaces, {.shape = {2, 5}}}, {throws<IndexError>("scatter_add: index 7 at [0, 0] is outside axis 0 of size 4; valid are 0 to 3", [x] { scatter_add(x(), 0, far().reshape({1, 1}), ones({1, 1})); })}),
      row("scatter", [](const Args& a) { return scatter(a[0], 0, a[1], a[2]); }, {kX, {.shape = {1, 5}, .low = 0, .high = 4, .dtype = int64}, {.shape = {1, 5}}}, {throws<IndexError>("scatter: index 7 at [0, 0] is outside axis 0 of size 4; valid are 0 to 3", [x] { scatter(x(), 0, far().reshape({1, 1}), ones({1, 1})); })}),
      row("scatter_reduce", [](const Args& a) { return scatter_reduce(a[0], 0, a[1], a[2], ScatterReduce::sum); }, {kX, kPlaces, {.shape = {2, 5}}}, {}, kAll),
      row("index_select", [](const Args& a) { return index_select(a[0], 0, a[1]); }, {kX, kRows}, {throws<IndexError>("index_select: index 7 at [0] is outside axis 0 of size 4; valid are 0 to 3", [x] { index_select(x(), 0, far()); })}),
      row("index_add", [](const Args& a) { return index_add(a[0], 0, a[1], a[2]); }, {kX, kRows, {.shape = {3, 5}}}, {throws<IndexError>("index_add: index 7 at [0] is outside axis 0 of size 4; valid are 0 to 3", [x] { index_add(x(), 0, far(), ones({1, 5})); })}),
      row("index_copy", [](const Args& a) { return index_copy(a[0], 0, a[1], a[2]); }, {kX, {.shape = {1}, .low = 0, .high = 4, .dtype = int64}, {.shape = {1, 5}}}),
      row("index_fill", [](const Args& a) { return index_fill(a[0], 0, a[1], 1); }, {kX, kRows}),
      row("take", [](const Args& a) { return take(a[0], a[1]); }, {kX, kRows}, {throws<IndexError>("take: index 70 at [0] is outside axis 0 of size 20; valid are -20 to 19", [x] { take(x(), tensor({70}, {.dtype = int64})); })}),
      row("take_along_dim", [](const Args& a) { return take_along_dim(a[0], a[1], 0); }, {kX, kPlaces}),
      row("masked_fill", [](const Args& a) { return masked_fill(a[0], a[1], 1); }, {kX, kMask}, {throws<DtypeError>("masked_fill: the mask is float32, expected bool; compare it first, as in x > 0", [x] { masked_fill(x(), x(), 1); })}),
      row("masked_select", [](const Args& a) { return masked_select(a[0], a[1]); }, {kX, kMask}, {throws<DtypeError>("masked_select: the mask is float32, expected bool; compare it first, as in x > 0", [x] { masked_select(x(), x()); })}),
      row("masked_scatter", [](const Args& a) { return masked_scatter(a[0], a[1], a[2]); }, {kX, kMask, kX}, {throws<ShapeError>("masked_scatter: the mask has 20 true elements, source only 3", [x] { masked_scatter(x(), ones({4, 5}, {.dtype = boolean}), ones({3})); })}),
      plain(row("nonzero", [](const Args& a) { return nonzero(a[0]); }, {kX}), Result::int64),
      plain(row("one_hot", [](const Args& a) { return one_hot(a[0], 10); }, {{.shape = {4, 5}, .low = 0, .high = 4, .dtype = int64}}, {throws<Error>("one_hot: index 7 at [0] is outside axis 1 of size 3; valid are 0 to 2", [] { one_hot(far(), 3); })}, kAll), Result::int64),
      row("sort", [](const Args& a) { return sort(a[0]).values; }, {kX}, {throws<IndexError>("sort: axis 2 is outside [-2, 2) for a tensor of rank 2", [x] { sort(x(), 2); })}),
      plain(row("argsort", [](const Args& a) { return argsort(a[0]); }, {kX}), Result::int64),
      row("msort", [](const Args& a) { return msort(a[0]); }, {kX}),
      row("topk", [](const Args& a) { return topk(a[0], 2).values; }, {kX}, {throws<Error>("topk: k is 9, but axis 1 of [4, 5] has only 5 elements", [x] { topk(x(), 9); })}),
      row("nanmedian", [](const Args& a) { return nanmedian(a[0]); }, {kX}),
      plain(row("searchsorted", [](const Args& a) { return searchsorted(arange(5, options_of(a[0])), a[0]); }, {kX}, {}, kNumbers), Result::int64),
      plain(row("bucketize", [](const Args& a) { return bucketize(a[0], arange(5, options_of(a[0]))); }, {kX}, {}, kNumbers), Result::int64),
      plain(row("bincount", [](const Args& a) { return bincount(a[0].reshape({-1})); }, {{.low = 0, .high = 6}}, {throws<Error>("bincount: the value -1 is negative; only values from 0 on can be counted", [] { bincount(tensor({-1}, {.dtype = int64})); })}, kInts), Result::int64),
      plain(row("histc", [](const Args& a) { return histc(a[0], 4, -2, 2); }, {kX}, {throws<Error>("histc: 0 bins are asked for; use at least 1", [x] { histc(x(), 0); })}, kReal), Result::same),
      plain(row("isin", [](const Args& a) { return isin(a[0], tensor({0, 1}, options_of(a[0]))); }, {kX}, {}, kAll), Result::boolean),
      plain(row("in_top_k", [](const Args& a) { return in_top_k(a[0], tensor({0, 4, 2, 9}, on(a[0])), 2); }, {kX}, {throws<ValueError>("in_top_k: k is -1; it must not be negative", [] { in_top_k(ones({2, 3}), tensor({0, 1}), -1); }),
            throws<ShapeError>("in_top_k: takes predictions [N, C] and targets [N], got [2, 3] and [3]", [] { in_top_k(ones({2, 3}), tensor({0, 1, 2}), 1); }), throws<DtypeError>("in_top_k: targets have dtype float32, expected int64 or int32", [] { in_top_k(ones({2, 3}), ones({2}), 1); })}, kReal), Result::boolean),
      plain(row("unique", [](const Args& a) { return unique(a[0]).values; }, {kX}), Result::same),
      plain(row("unique_consecutive", [](const Args& a) { return unique_consecutive(a[0]).values; }, {kX}), Result::same),
  };
  add_errors(list, {
      {"scatter_reduce", throws<IndexError>("scatter_reduce: index 7 at [0, 0] is outside axis 0 of size 4; valid are 0 to 3", [x] { scatter_reduce(x(), 0, far().reshape({1, 1}), ones({1, 1}), ScatterReduce::sum); })},
      {"index_copy", throws<IndexError>("index_copy: index 7 at [0] is outside axis 0 of size 4; valid are 0 to 3", [x] { index_copy(x(), 0, far(), ones({1, 5})); })},
      {"index_fill", throws<IndexError>("index_fill: index 7 at [0] is outside axis 0 of size 4; valid are 0 to 3", [x] { index_fill(x(), 0, far(), 1); })},
      {"take_along_dim", throws<ShapeError>("take_along_dim: the index has shape [1], the tensor [4, 5]; they must have the same rank", [x] { take_along_dim(x(), far(), 0); })},
      {"nonzero", throws<ValueError>("nonzero: input is undefined; pass a tensor with values", [] { nonzero(Tensor()); })},
      {"argsort", throws<IndexError>("argsort: axis -3 is outside [-2, 2) for a tensor of rank 2", [x] { argsort(x(), -3); })},
      {"msort", throws<ValueError>("msort: input is undefined; pass a tensor with values", [] { msort(Tensor()); })},
      {"nanmedian", throws<ValueError>("nanmedian: int64 [0] has no elements and its dtype no NaN to return", [] { nanmedian(ones({0}, {.dtype = int64})); })},
      {"searchsorted", throws<ShapeError>("searchsorted: the sorted tensor has shape [4, 5], the values [3, 2]; all axes but the last must be equal, or the sorted tensor has one axis", [x] { searchsorted(x(), ones({3, 2})); })},
      {"bucketize", throws<ShapeError>("bucketize: boundaries has shape [4, 5]; it must have one axis", [x] { bucketize(x(), x()); })},
      {"isin", throws<ValueError>("isin: test is undefined; pass a tensor with values", [x] { isin(x(), Tensor()); })},
      {"unique", throws<IndexError>("unique: axis 2 is outside [-2, 2) for a tensor of rank 2", [x] { unique(x(), {.axis = 2}); })},
      {"unique_consecutive", throws<IndexError>("unique_consecutive: axis -3 is outside [-2, 2) for a tensor of rank 2", [x] { unique_consecutive(x(), {.axis = -3}); })},
  });
  add_corners(list, {
      {"index_get", {[](const Args& a, std::int64_t k) { return index_get(a[0], {k}); }, [](const Args& a, std::int64_t k) { return index_get(a[0], {Index(Slice(k, 3))}); }, [](const Args& a, std::int64_t k) { return index_get(a[0], {Index(tensor({k}))}); }}},
      {"index_put", {[](const Args& a, std::int64_t k) { return index_put(a[0], {Index(tensor({k}))}, a[2]); }, [](const Args& a, std::int64_t k) { return index_put(a[0], {Index(tensor({k, k}))}, a[2], true); }}},
      {"gather", {[](const Args& a, std::int64_t k) { return gather(a[0], k, a[1]); }, [](const Args& a, std::int64_t k) { return gather(a[0], 0, full({2, 5}, k)); }}},
      {"scatter", {[](const Args& a, std::int64_t k) { return scatter(a[0], k, a[1], a[2]); }, [](const Args& a, std::int64_t k) { return scatter(a[0], 0, full({1, 5}, k), a[2]); }}},
      {"scatter_add", {[](const Args& a, std::int64_t k) { return scatter_add(a[0], k, a[1], a[2]); }, [](const Args& a, std::int64_t k) { return scatter_add(a[0], 0, full({2, 5}, k), a[2]); }}},
      {"scatter_reduce", {[](const Args& a, std::int64_t k) { return scatter_reduce(a[0], 0, full({2, 5}, k), a[2], ScatterReduce::prod); }, [](const Args& a, std::int64_t k) { return scatter_reduce(a[0], 0, full({2, 5}, k), a[2], ScatterReduce::amax, false); }, [](const Args& a, std::int64_t k) { return scatter_reduce(a[0], k, a[1], a[2], ScatterReduce::mean); }}},
      {"index_select", {[](const Args& a, std::int64_t k) { return index_select(a[0], 0, tensor({k})); }, [](const Args& a, std::int64_t k) { return index_select(a[0], k, a[1]); }}},
      {"index_add", {[](const Args& a, std::int64_t k) { return index_add(a[0], 0, full({3}, k), a[2]); }, [](const Args& a, std::int64_t k) { return index_add(a[0], k, a[1], a[2]); }}},
      {"index_copy", {[](const Args& a, std::int64_t k) { return index_copy(a[0], 0, tensor({k}), a[2]); }}},
      {"index_fill", {[](const Args& a, std::int64_t k) { return index_fill(a[0], 0, tensor({k}), 1); }, [](const Args& a, std::int64_t k) { return index_fill(a[0], k, a[1], 1); }}},
      {"take", {[](const Args& a, std::int64_t k) { return take(a[0], tensor({k})); }}},
      {"take_along_dim", {[](const Args& a, std::int64_t k) { return take_along_dim(a[0], full({2, 5}, k), 0); }, [](const Args& a, std::int64_t k) { return take_along_dim(a[0], a[1], k); }}},
      {"one_hot", {[](const Args& a, std::int64_t k) { return one_hot(a[0], k); }, [](const Args&, std::int64_t k) { return one_hot(tensor({k})); }, [](const Args&, std::int64_t k) { return one_hot(tensor({k}), 3); }}},
      {"sort", {[](const Args& a, std::int64_t k) { return sort(a[0], k).values; }}},
      {"argsort", {[](const Args& a, std::int64_t k) { return argsort(a[0], k); }}},
      {"topk", {[](const Args& a, std::int64_t k) { return topk(a[0], k).values; }, [](const Args& a, std::int64_t k) { return topk(a[0], 2, k).values; }}},
      {"bincount", {[](const Args&, std::int64_t k) { return bincount(tensor({k})); }, [](const Args&, std::int64_t k) { return bincount(tensor({1}), {}, k); }}},
      {"histc", {[](const Args& a, std::int64_t k) { return histc(a[0], k, -2, 2); }}},
      {"in_top_k", {[](const Args& a, std::int64_t k) { return in_top_k(a[0], full({4}, k), 2); }, [](const Args& a, std::int64_t k) { return in_top_k(a[0], full({4}, 1), k); }}},
      {"unique", {[](const Args& a, std::int64_t k) { return unique(a[0], {.axis = k}).values; }}},
      {"unique_consecutive", {[](const Args& a, std::int64_t k) { return unique_consecutive(a[0], {.axis = k}).values; }}},
      {"nanmedian", {[](const Args& a, std::int64_t k) { return nanmedian(a[0], k).values; }}},
  });
  const std::map<std::string, std::function<void(const Args&)>> in_place = {
      {"index_put", [](const Args& a) { index_put_(a[0], {a[1]}, a[2]); }},
      {"scatter", [](const Args& a) { scatter_(a[0], 0, a[1], a[2]); }},
      {"scatter_add", [](const Args& a) { scatter_add_(a[0], 0, a[1], a[2]); }},
      {"scatter_reduce", [](const Args& a) { scatter_reduce_(a[0], 0, a[1], a[2], ScatterReduce::sum); }},
      {"index_add", [](const Args& a) { index_add_(a[0], 0, a[1], a[2]); }},
      {"index_copy", [](const Args& a) { index_copy_(a[0], 0, a[1], a[2]); }},
      {"index_fill", [](const Args& a) { index_fill_(a[0], 0, a[1], 1); }},
      {"masked_fill", [](const Args& a) { masked_fill_(a[0], a[1], 1); }},
      {"masked_scatter", [](const Args& a) { masked_scatter_(a[0], a[1], a[2]); }},
  };
  for (Row& r : list)
    if (const auto found = in_place.find(r.name); found != in_place.end()) r.in_place = found->second;
  return list;
}

}  // namespace rill::optable

// Einstein's summation as a chain of batched matrix products, and products that are special cases of it.
#include <rill/ops/create.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/index.h>
#include <rill/ops/linalg.h>
#include <rill/ops/reduce.h>
#include <rill/ops/shape.h>
#include <rill/ops/view.h>

#include <algorithm>
#include <array>

#include "autograd/autocast.h"
#include "autograd/products.h"
#include "lib/core/checked.h"
#include "lib/core/op_range.h"

namespace rill {
namespace {

// ---- einsum -----------------------------------------------------------------------------------------------------------------

// Labels are numbers: A-Z 0-25, a-z 26-51, and the axes of "..." from 52 on, aligned at the right.
using Labels = std::vector<int>;
constexpr int kLetters = 52, kAllLabels = kLetters + kMaxRank;

bool holds(const Labels& l, int label) { return std::find(l.begin(), l.end(), label) != l.end(); }

int label_of(char c, std::string_view equation) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  fail<ValueError>("einsum", "'{}' in \"{}\" is not a label; use letters, one \"...\" per group, \",\" and \"->\"", c, equation);
}

constexpr int kEllipsis = -1;
/// One group of labels; kEllipsis stands for "...".
Labels parse_group(std::string_view group, std::string_view equation) {
  Labels out;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (group[i] == ' ') continue;
    if (group[i] == '.') {
      check<ValueError>(group.substr(i, 3) == "..." && !holds(out, kEllipsis), "einsum", "\"{}\" has a dot that is not part of the only \"...\" of its group", equation);
      out.push_back(kEllipsis);
      i += 2;
    } else {
      out.push_back(label_of(group[i], equation));
    }
  }
  return out;
}

/// Replaces kEllipsis by `count` axis labels.
Labels spread(const Labels& group, int count) {
  Labels out;
  for (const int l : group) {
    if (l != kEllipsis) out.push_back(l);
    else
      for (int i = count; i > 0; --i) out.push_back(kLetters + i - 1);  // the last axis is label 52 in every operand
  }
  return out;
}

struct Operand {
  Tensor x;
  Labels labels;  // one per axis, all different
};

Labels take(const Labels& from, auto condition) {
  Labels out;
  for (const int l : from)
    if (condition(l)) out.push_back(l);
  return out;
}

void sum_over(Operand& o, const Labels& dropped) {
  if (dropped.empty()) return;
  Dims axes;
  for (std::size_t i = 0; i < o.labels.size(); ++i)
    if (holds(dropped, o.labels[i])) axes.push_back(static_cast<std::int64_t>(i));
  o.x = sum(o.x, axes);
  o.labels = take(o.labels, [&](int l) { return !holds(dropped, l); });
}

/// Axes in the given order.
Tensor ordered(const Operand& o, const Labels& order) {
  Dims axes;
  bool same = true;
  for (std::size_t i = 0; i < order.size(); ++i) {
    axes.push_back(std::find(o.labels.begin(), o.labels.end(), order[i]) - o.labels.begin());
    same &= axes[i] == static_cast<std::int64_t>(i);
  }
  return same ? o.x : o.x.permute(axes);
}

Labels joined(const Labels& a, const Labels& b, const Labels& c = {}) {
  Labels r = a;
  r.insert(r.end(), b.begin(), b.end());
  r.insert(r.end(), c.begin(), c.end());
  return r;
}

/// Multiplies two operands and sums over the labels that nobody after them needs.
Operand contract(Operand a, Operand b, auto needed) {
  sum_over(a, take(a.labels, [&](int l) { return !holds(b.labels, l) && !needed(l); }));
  sum_over(b, take(b.labels, [&](int l) { return !holds(a.labels, l) && !needed(l); }));
  const Labels batch = take(a.labels, [&](int l) { return holds(b.labels, l) && needed(l); });
  const Labels inner = take(a.labels, [&](int l) { return holds(b.labels, l) && !needed(l); });
  const Labels only_a = take(a.labels, [&](int l) { return !holds(b.labels, l); }), only_b = take(b.labels, [&](int l) { return !holds(a.labels, l); });
  const Tensor x = ordered(a, joined(batch, only_a, inner)), y = ordered(b, joined(batch, inner, only_b));
  Shape shape, left, right;  // of the result, and of both operands with groups of axes merged
  std::int64_t nb = 1, na = 1, ni = 1, nr = 1;
  const auto at = [](const Tensor& t, std::size_t i) { return t.shape()[static_cast<int>(i)]; };
  for (std::size_t i = 0; i < batch.size(); ++i) shape.push_back(at(x, i)), nb *= at(x, i);
  for (std::size_t i = 0; i < only_a.size(); ++i) shape.push_back(at(x, batch.size() + i)), na *= at(x, batch.size() + i);
  for (std::size_t i = 0; i < inner.size(); ++i) ni *= at(y, batch.size() + i);
  for (std::size_t i = 0; i < only_b.size(); ++i) shape.push_back(at(y, batch.size() + inner.size() + i)), nr *= at(y, batch.size() + inner.size() + i);
  const Labels labels = joined(batch, only_a, only_b);
  if (inner.empty()) {  // nothing to sum: an elementwise product
    left = Shape(x.shape());
    for (std::size_t i = 0; i < only_b.size(); ++i) left.push_back(1);
    for (std::size_t i = 0; i < batch.size(); ++i) right.push_back(at(y, i));
    for (std::size_t i = 0; i < only_a.size(); ++i) right.push_back(1);
    for (std::size_t i = 0; i < only_b.size(); ++i) right.push_back(at(y, batch.size() + i));
    return {mul(x.reshape(left), y.reshape(right)), labels};
  }
  check_product("einsum", x, y);
  left = batch.empty() ? Shape{na, ni} : Shape{nb, na, ni}, right = batch.empty() ? Shape{ni, nr} : Shape{nb, ni, nr};
  return {product("einsum", x.reshape(left), y.reshape(right)).reshape(shape), labels};
}

}  // namespace

Tensor einsum(std::string_view equation, const std::vector<Tensor>& operands) {
  if (amp::on()) [[unlikely]] return amp::low(&einsum, equation, operands);
  const OpRange here("einsum");
  const char* op = "einsum";
  check<ValueError>(!operands.empty(), op, "needs at least one operand");
  const auto arrow = equation.find("->");
  std::string_view left = equation.substr(0, arrow);
  std::vector<Labels> groups;
  for (std::size_t start = 0;;) {
    const auto comma = left.find(',', start);
    groups.push_back(parse_group(left.substr(start, comma == left.npos ? comma : comma - start), equation));
    if (comma == left.npos) break;
    start = comma + 1;
  }
  check<ValueError>(groups.size() == operands.size(), op, "\"{}\" names {} operands, but {} were given", equation, groups.size(), operands.size());

  int ellipsis = 0;  // the most axes that "..." stands for
  for (std::size_t k = 0; k < groups.size(); ++k) {
    check_defined(op, operands[k], "an operand");
    const int rank = static_cast<int>(operands[k].dim()), named = static_cast<int>(groups[k].size());
    const bool open = holds(groups[k], kEllipsis);
    check<ValueError>(open ? rank >= named - 1 : rank == named, op, "operand {} of shape {} has {} axes, its group in \"{}\" has {} labels{}", k, operands[k].shape(), rank, equation,
                      open ? named - 1 : named, open ? " besides \"...\"" : "");
    if (open) ellipsis = std::max(ellipsis, rank - named + 1);
  }

  std::array<std::int64_t, kAllLabels> size;
  std::array<int, kAllLabels> times{};
  size.fill(-1);
  std::vector<Operand> parts;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    Operand o{operands[k], spread(groups[k], static_cast<int>(operands[k].dim()) - static_cast<int>(groups[k].size()) + 1)};
    for (std::size_t i = 0; i < o.labels.size(); ++i) ++times[static_cast<std::size_t>(o.labels[i])];
    for (std::size_t i = 0; i < o.labels.size(); ++i)  // repeated labels: the diagonal
      for (std::size_t j = i + 1; j < o.labels.size();) {
        if (o.labels[i] != o.labels[j]) {
          ++j;
          continue;
        }
        const auto p = static_cast<std::int64_t>(i), q = static_cast<std::int64_t>(j);
        check<ValueError>(o.x.size(p) == o.x.size(q), op, "a label repeated in operand {} of shape {} has sizes {} and {}", k, operands[k].shape(), o.x.size(p), o.x.size(q));
        o.x = movedim(diagonal(o.x, 0, p, q), {-1}, {p});
        o.labels.erase(o.labels.begin() + static_cast<std::ptrdiff_t>(j));
      }
    for (std::size_t i = 0; i < o.labels.size(); ++i) {
      auto& s = size[static_cast<std::size_t>(o.labels[i])];
      const auto own = o.x.size(static_cast<std::int64_t>(i));
      check<ValueError>(s < 0 || s == 1 || own == 1 || own == s, op, "operand {} of shape {} has size {} where an earlier operand of \"{}\" has {}", k, operands[k].shape(), own, equation, s);
      if (s < 0 || s == 1) s = own;
    }
    parts.push_back(std::move(o));
  }
  // an axis of size 1 that others repeat takes no part
  for (auto& o : parts)
    for (std::size_t i = o.labels.size(); i-- > 0;)
      if (o.x.size(static_cast<std::int64_t>(i)) == 1 && size[static_cast<std::size_t>(o.labels[i])] != 1) {
        o.x = o.x.squeeze(static_cast<std::int64_t>(i));
        o.labels.erase(o.labels.begin() + static_cast<std::ptrdiff_t>(i));
      }

  Labels result;
  if (arrow != equation.npos) {
    result = spread(parse_group(equation.substr(arrow + 2), equation), ellipsis);
    for (std::size_t i = 0; i < result.size(); ++i) {
      check<ValueError>(times[static_cast<std::size_t>(result[i])] > 0, op, "the result of \"{}\" has a label that no operand has", equation);
      check<ValueError>(std::find(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(i), result[i]) == result.begin() + static_cast<std::ptrdiff_t>(i), op,
                        "the result of \"{}\" has a label twice", equation);
    }
  } else {
    result = spread({kEllipsis}, ellipsis);
    for (int l = 0; l < kLetters; ++l)
      if (times[static_cast<std::size_t>(l)] == 1) result.push_back(l);
  }

  Operand value = parts[0];
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const auto needed = [&](int l) {
      if (holds(result, l)) return true;
      for (std::size_t later = k + 1; later < parts.size(); ++later)
        if (holds(parts[later].labels, l)) return true;
      return false;
    };
    value = contract(value, parts[k], needed);
  }
  sum_over(value, take(value.labels, [&](int l) { return !holds(result, l); }));
  return ordered(value, result);
}

// ---- relatives --------------------------------------------------------------------------------------------------------------

Tensor tensordot(const Tensor& a, const Tensor& b, const Dims& axes_a, const Dims& axes_b) {
  if (amp::on()) [[unlikely]] return amp::widest([&](const Tensor& x, const Tensor& y) { return tensordot(x, y, axes_a, axes_b); }, a, b);
  const OpRange here("tensordot", a, b);
  const char* op = "tensordot";
  check_product(op, a, b);
  check<ShapeError>(axes_a.rank() == axes_b.rank(), op, "{} axes of the first operand and {} of the second are listed", axes_a.rank(), axes_b.rank());
  std::vector<bool> in_a(a.shape().size()), in_b(b.shape().size());
  Dims order_a, order_b, pa, pb;
  Shape shape;
  std::int64_t rows = 1, inner = 1, columns = 1;
  for (int i = 0; i < axes_a.rank(); ++i) {
    const auto p = wrap_axis(op, axes_a[i], a.dim()), q = wrap_axis(op, axes_b[i], b.dim());
    check<ValueError>(!in_a[static_cast<std::size_t>(p)] && !in_b[static_cast<std::size_t>(q)], op, "an axis is listed twice in {} or {}", axes_a, axes_b);
    check<ShapeError>(a.size(p) == b.size(q), op, "axis {} of {} has size {}, axis {} of {} has size {}", p, a.shape(), a.size(p), q, b.shape(), b.size(q));
    in_a[static_cast<std::size_t>(p)] = in_b[static_cast<std::size_t>(q)] = true;
    pa.push_back(p), pb.push_back(q), inner *= a.size(p);
  }
  for (int i = 0; i < a.dim(); ++i)
    if (!in_a[static_cast<std::size_t>(i)]) order_a.push_back(i), shape.push_back(a.size(i)), rows *= a.size(i);
  order_b = pb;
  for (const auto p : pa) order_a.push_back(p);
  for (int i = 0; i < b.dim(); ++i)
    if (!in_b[static_cast<std::size_t>(i)]) order_b.push_back(i), shape.push_back(b.size(i)), columns *= b.size(i);
  return product(op, a.permute(order_a).reshape({rows, inner}), b.permute(order_b).reshape({inner, columns})).reshape(shape);
}

Tensor tensordot(const Tensor& a, const Tensor& b, std::int64_t n) {
  if (amp::on()) [[unlikely]] return amp::widest([n](const Tensor& x, const Tensor& y) { return tensordot(x, y, n); }, a, b);
  const OpRange here("tensordot", a, b);
  check_product("tensordot", a, b);
  check<ShapeError>(n >= 0 && n <= a.dim() && n <= b.dim(), "tensordot", "cannot sum over {} axes of {} and {}", n, a.shape(), b.shape());
  Dims last, first;
  for (std::int64_t i = 0; i < n; ++i) last.push_back(a.dim() - n + i), first.push_back(i);
  return tensordot(a, b, last, first);
}

Tensor inner(const Tensor& a, const Tensor& b) {
  if (amp::on()) [[unlikely]] return amp::widest(&inner, a, b);
  const OpRange here("inner", a, b);
  check_product("inner", a, b);
  if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
  check<ShapeError>(a.size(-1) == b.size(-1), "inner", "the last sizes of {} and {} differ", a.shape(), b.shape());
  if (a.dim() == 1 && b.dim() == 1) return dot(a, b);
  return tensordot(a, b, Dims{-1}, Dims{-1});
}

Tensor kron(const Tensor& a, const Tensor& b) {
  const OpRange here("kron", a, b);
  check_defined("kron", a, "the first operand");
  check_defined("kron", b, "the second operand");
  const int rank = static_cast<int>(std::max(a.dim(), b.dim()));
  Shape left, right, shape;
  for (int i = 0; i < rank; ++i) {
    const auto p = i - (rank - a.dim()), q = i - (rank - b.dim());
    const std::int64_t x = p < 0 ? 1 : a.size(p), y = q < 0 ? 1 : b.size(q);
    left.push_back(x), left.push_back(1), right.push_back(1), right.push_back(y), shape.push_back(checked_mul("kron", x, y));
  }
  return mul(a.reshape(left), b.reshape(right)).reshape(shape);
}

Tensor cross(const Tensor& a, const Tensor& b, std::int64_t axis) {
  if (amp::on()) [[unlikely]] return amp::widest(&cross, a, b, axis);
  const OpRange here("cross", a, b);
  check_product("cross", a, b);
  check<ShapeError>(a.dim() == b.dim() && a.dim() > 0, "cross", "takes operands of the same rank, got {} and {}", a.shape(), b.shape());
  const auto k = wrap_axis("cross", axis, a.dim());
  check<ShapeError>(a.size(k) == 3 && b.size(k) == 3, "cross", "axis {} of {} and {} must have size 3", k, a.shape(), b.shape());
  const auto next = [&](const Tensor& x, std::int64_t by) { return roll(x, {-by}, {k}); };
  return sub(mul(next(a, 1), next(b, 2)), mul(next(a, 2), next(b, 1)));
}

Tensor bilinear(const Tensor& a, const Tensor& b, const Tensor& w, const Tensor& bias) {
  if (amp::on()) [[unlikely]] return amp::widest(&bilinear, a, b, w, bias);
  const OpRange here("bilinear", a, b, w, bias);
  constexpr const char* op = "bilinear";
  check_product(op, a, b);
  check_product(op, a, w);
  check<ShapeError>(a.dim() >= 1 && b.dim() == a.dim() && w.dim() == 3, op, "takes a [.., in1], b [.., in2] and a weight [out, in1, in2], got {}, {} and {}", a.shape(), b.shape(), w.shape());
  check<ShapeError>(a.size(-1) == w.size(1) && b.size(-1) == w.size(2), op, "weight {} expects {} and {} features, a {} and b {} have {} and {}", w.shape(), w.size(1), w.size(2), a.shape(),
                    b.shape(), a.size(-1), b.size(-1));
  const Tensor y = einsum("...i,oij,...j->...o", {a, w, b});
  if (!bias.defined()) return y;
  check<ShapeError>(bias.shape() == Shape{w.size(0)}, op, "bias {} does not fit weight {}; expected [{}]", bias.shape(), w.shape(), w.size(0));
  return add(y, bias);
}

Tensor vander(const Tensor& x, VanderOptions o) {
  const OpRange here("vander", x);
  constexpr const char* op = "vander";
  check_defined(op, x);
  check<ShapeError>(x.dim() >= 1, op, "a number has no axis to take powers along; expected rank 1 or more");
  const std::int64_t n = o.columns < 0 ? x.size(-1) : o.columns;
  Shape shape = x.shape();
  shape.push_back(n);
  checked_numel(op, shape, Dtype::int64);
  const Tensor in = is_floating(x.dtype()) ? x : x.to(Dtype::int64);
  if (n == 0) return zeros(shape, {.dtype = in.dtype(), .device = x.device()});
  shape[shape.rank() - 1] = n - 1;
  const Tensor one = ones_like(unsqueeze(in, -1)), powers = cat({one, cumprod(expand(unsqueeze(in, -1), shape), -1)}, -1);
  return o.increasing ? powers : flip(powers, {-1});
}

Tensor trace(const Tensor& x) {
  const OpRange here("trace", x);
  check_defined("trace", x);
  check<ShapeError>(x.dim() == 2, "trace", "takes a matrix, got {}; use sum(diagonal(x, 0, -2, -1), {{-1}}) for a batch", x.shape());
  return sum(diagonal(x));
}

Tensor multi_dot(const std::vector<Tensor>& given) {
  if (amp::on()) [[unlikely]] return amp::low(&multi_dot, given);
  const OpRange here("multi_dot");
  const char* op = "multi_dot";
  check<ValueError>(given.size() >= 2, op, "needs at least two matrices, got {}", given.size());
  std::vector<Tensor> m = given;
  for (const auto& t : m) check_defined(op, t, "a matrix");
  const bool row = m.front().dim() == 1, column = m.back().dim() == 1;
  if (row) m.front() = m.front().unsqueeze(0);
  if (column) m.back() = m.back().unsqueeze(1);
  const std::size_t n = m.size();
  for (std::size_t i = 0; i < n; ++i) {
    check<ShapeError>(m[i].dim() == 2, op, "operand {} has shape {}; only the first and the last may be vectors, the others are matrices", i, given[i].shape());
    if (i > 0) check<ShapeError>(m[i - 1].size(1) == m[i].size(0), op, "cannot multiply operand {} of shape {} by operand {} of shape {}", i - 1, given[i - 1].shape(), i, given[i].shape());
  }
  // the cheapest order by dynamic programming (Cormen et al., "Introduction to Algorithms", section 15.2)
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<std::size_t>> cut(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 1; length < n; ++length)
    for (std::size_t i = 0; i + length < n; ++i) {
      const std::size_t j = i + length;
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        const double c = cost[i][k] + cost[k + 1][j] + static_cast<double>(m[i].size(0)) * static_cast<double>(m[k].size(1)) * static_cast<double>(m[j].size(1));
        if (c < cost[i][j]) cost[i][j] = c, cut[i][j] = k;
      }
    }
  const auto multiply = [&](const auto& self, std::size_t i, std::size_t j) -> Tensor {
    if (i == j) return m[i];
    return mm(self(self, i, cut[i][j]), self(self, cut[i][j] + 1, j));
  };
  Tensor r = multiply(multiply, 0, n - 1);
  if (row) r = r.squeeze(0);
  return column ? r.squeeze(-1) : r;
}

Tensor cdist(const Tensor& a, const Tensor& b, double p) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&cdist, a, b, p);
  const OpRange here("cdist", a, b);
  check_product("cdist", a, b);
  check<ShapeError>(a.dim() >= 2 && b.dim() >= 2 && a.size(-1) == b.size(-1), "cdist", "takes [.., m, d] and [.., n, d], got {} and {}", a.shape(), b.shape());
  check<ValueError>(p >= 0, "cdist", "p = {} is negative", p);
  return norm(sub(a.unsqueeze(-2), b.unsqueeze(-3)), p, {-1});
}

Tensor dist(const Tensor& a, const Tensor& b, double p) {
  if (amp::on()) [[unlikely]] return amp::in_float32(&dist, a, b, p);
  const OpRange here("dist", a, b);
  return norm(sub(a, b), p);
}

}  // namespace rill

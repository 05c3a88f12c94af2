// What holds for every optimizer, whatever its rule.
#include "test/optim/every.h"

#include <rill/core/threads.h>
#include <rill/ops/elementwise.h>
#include <rill/ops/reduce.h>
#include <rill/ops/view.h>

using namespace rill;

namespace {

/// The gradient of step t for a parameter: depends on its values and on their logical place only.
Tensor gradient(const Tensor& p, int t) {
  const Tensor place = arange(0, p.numel(), 1, {.dtype = float64}).reshape(p.shape());
  return (p.detach().to(float64) * 0.5 + sin(place * 0.7 + 0.9 * t)).to(p.dtype());
}
void take_steps(optim::Optimizer& opt, int from, int to) {
  for (int t = from; t <= to; ++t) {
    for (const auto& [name, p] : opt.parameters()) p.set_grad(name == "q" && t % 2 == 0 ? Tensor() : gradient(p, t));
    opt.step();
  }
}
Tensor start(const Shape& shape, Dtype dtype) {
  std::int64_t n = 1;
  for (const auto s : shape) n *= s;
  return cos(arange(0, n, 1, {.dtype = float64})).reshape(shape).to(dtype);
}
void check_equal(const Tensor& a, const Tensor& b) { CHECK(values(a) == values(b)); }
/// The same values as every second column of a larger tensor filled with NaN.
Tensor with_gaps(const Tensor& x, Tensor& whole) {
  whole = full({x.size(0), x.size(1), 2}, NAN, {.dtype = x.dtype()});
  const Tensor inside = whole.select(2, 1);
  inside.copy_(x);
  return inside.detach();
}

}  // namespace

TEST_CASE("a saved state continues bit for bit", "[optim][every]") {
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    const Tensor p = leaf(start({3, 5}, float32)), q = leaf(start({4}, float32));
    const auto whole = make_optimizer(line, {{"p", p}, {"q", q}});
    take_steps(*whole, 1, 7);
    NamedTensors saved;
    for (const auto& [name, value] : whole->state()) saved.emplace_back(name, value.clone());
    const Tensor p2 = leaf(p.detach().clone()), q2 = leaf(q.detach().clone());
    const auto second = make_optimizer(line, {{"p", p2}, {"q", q2}});
    second->load(saved);
    take_steps(*whole, 8, 12);
    take_steps(*second, 8, 12);
    check_equal(p, p2), check_equal(q, q2);
    const auto a = whole->state(), b = second->state();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) check_equal(a[i].second, b[i].second);
  }
}

TEST_CASE("strides of parameters and gradients do not matter, and gaps stay as they are", "[optim][every]") {
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    for (const Dtype d : {float64, bfloat16}) {
      const Tensor x = start({9, 70}, d), plain = leaf(x.clone());
      const auto reference = make_optimizer(line, {{"p", plain}});
      Tensor whole;
      const Tensor turned = leaf(x.t().clone(MemoryFormat::contiguous).t()), gapped = leaf(with_gaps(x, whole)), last = leaf(x.clone());
      const auto others = make_optimizer(line, {{"turned", turned}, {"gapped", gapped}, {"last", last}});
      for (int t = 1; t <= 3; ++t) {
        const Tensor g = gradient(plain, t), one = g.select(0, 0).unsqueeze(0).expand({9, 70});
        const Tensor& used = t == 2 ? one : g;  // an expanded gradient
        Tensor spread;
        plain.set_grad(used.contiguous());
        turned.set_grad(used);
        gapped.set_grad(used.t().clone(MemoryFormat::contiguous).t());
        last.set_grad(with_gaps(used, spread));
        const auto before = values(used);
        reference->step(), others->step();
        CHECK(values(used) == before);  // a step never writes to gradients
        CHECK(values(last.grad()) == before);
      }
      for (const Tensor& p : {turned, gapped, last}) check_equal(p, plain);
      CHECK(all(isnan(whole.select(2, 0))).item<bool>());
    }
  }
}

TEST_CASE("16-bit parameters are computed in float32 and rounded once per step", "[optim][every]") {
  for (const OptionLine& line : every_optimizer())
    for (const Dtype d : {float16, bfloat16}) {
      INFO(line.text << " " << to_string(d));
      const Tensor p = leaf(start({600}, d)), wide = leaf(p.detach().to(float32));
      const auto opt = make_optimizer(line, {{"p", p}}), reference = make_optimizer(line, {{"p", wide}});
      for (const auto& entry : opt->state()) CHECK(size_of(entry.second.dtype()) >= 4);
      for (int t = 1; t <= 3; ++t) {
        p.set_grad(gradient(p, t));
        wide.set_grad(p.grad().to(float32));
        opt->step(), reference->step();
        set_values(wide, wide.detach().to(d).to(float32));
        check_equal(p, wide);
      }
    }
}

TEST_CASE("a step gives the same values for any number of threads and any grouping of tensors", "[optim][every]") {
  const int before = num_threads();
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    const Shape shapes[] = {{257, 301}, {1}, {0, 3}, {33}, {1, 20000}, {7, 11}};
    std::vector<std::vector<double>> results;
    for (const int threads : {1, 3, 4}) {
      set_num_threads(threads);
      NamedTensors list;
      for (const Shape& s : shapes) list.emplace_back(std::to_string(list.size()), leaf(start(s, float32)));
      if (threads == 4) {  // one optimizer per tensor
        for (const auto& entry : list) {
          const auto opt = make_optimizer(line, {entry});
          take_steps(*opt, 1, 2);
        }
      } else {
        const auto opt = make_optimizer(line, list);
        take_steps(*opt, 1, 2);
      }
      auto& all = results.emplace_back();
      for (const auto& entry : list)
        for (const double v : values(entry.second)) all.push_back(v);
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  }
  set_num_threads(before);
}

TEST_CASE("a step raises the versions of what it writes and leaves parameters without gradients alone", "[optim][every]") {
  for (const OptionLine& line : every_optimizer()) {
    INFO(line.text);
    const Tensor p = leaf(start({3}, float32)), q = leaf(start({3}, float32));
    const auto opt = make_optimizer(line, {{"p", p}, {"q", q}});
    p.set_grad(gradient(p, 1));
    const auto state = opt->state();
    std::vector<std::uint32_t> versions;
    for (const auto& entry : state) versions.push_back(entry.second.version());
    const auto before = p.version(), gradient_version = p.grad().version(), others = q.version();
    const auto untouched = values(q);
    opt->step();
    CHECK(p.version() > before);
    CHECK(p.grad().version() == gradient_version);
    CHECK(q.version() == others);
    CHECK(values(q) == untouched);
    for (std::size_t i = 0; i < state.size(); ++i) CHECK((state[i].second.version() > versions[i]) == state[i].first.starts_with("p."));
    opt->zero_grad();
    CHECK_FALSE(p.grad().defined());
    CHECK(p.requires_grad());
    CHECK(p.is_leaf());
  }
}
